# options that act where they stand; the first line of the version is the protocol
version() { "$@" 2>&1 >"$DIR/out" | grep -v '^encfs-rs '; echo "stdout: $(cat "$DIR/out")"; }
echo "== versions"
version encfs --version
version encfs --vers
version encfs --version -v
version encfs -v --version
version encfs --verbose --version --bogus
version encfs -fv --version "$RAW"
version encfs --bogus --version
version encfs --version -H
t 'ambiguous' encfs --ver
t 'with a value' encfs --version=1
t 'help of FUSE' encfs -H
t 'help of FUSE first' encfs --fuse-help --version
t 'a volume stays' encfs -S --version "$RAW" "$MNT"
