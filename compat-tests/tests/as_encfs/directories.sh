# directories that are not there
E="--extpass=cat '$PW'"
answers() { printf '%s' "$1" >"$DIR/answers"; shift; "$@" <"$DIR/answers"; }
there() { for name in a b; do test -d "$DIR/$name" && stat -c "$name %a" "$DIR/$name"; done; rm -rf "$DIR/a" "$DIR/b"; }
t 'no answer' encfs "$E" "$DIR/a" "$DIR/b"
there || true
for answer in y Y yes n N '' x ' y'; do
    t "root: '$answer'" answers "$answer
" encfs "$E" "$DIR/a" "$DIR/b"
    there || true
done
t 'both, then a wrong password' answers 'y
y

' encfs --annotate -S "$DIR/a" "$DIR/b"
there || true
t 'mount point' answers 'y
' encfs --annotate "$E" "$RAW" "$DIR/b"
umount "$DIR/b" && echo "was mounted"
there || true
t 'two levels' answers 'y
' encfs "$E" "$RAW" "$DIR/b/c"
touch file
t 'a file as the root' answers 'y
' encfs "$E" "$DIR/file" "$MNT"
t 'a file as the mount point' answers 'y
' encfs "$E" "$RAW" "$DIR/file"
t 'a root whose name begins like the mount point' answers 'n
' encfs "$E" "$DIR/mntx" "$MNT"
t 'no is not asked again' answers 'n
y
' encfs "$E" "$DIR/a" "$MNT"
