# which configuration is taken
E="--extpass=cat '$PW'"
mv "$RAW/.encfs6.xml" key.xml
cp key.xml other.xml
t 'by the variable' env ENCFS6_CONFIG="$DIR/key.xml" encfs "$E" "$RAW" "$MNT"
t 'a relative one' env ENCFS6_CONFIG=key.xml encfs "$E" "$RAW" "$MNT"
t 'that is not there' env ENCFS6_CONFIG="$DIR/none.xml" encfs "$E" "$RAW" "$MNT"
t 'an empty variable' env ENCFS6_CONFIG= encfs "$E" "$RAW" "$MNT"
t 'by the option' encfs -c "$DIR/key.xml" "$E" "$RAW" "$MNT"
t 'by the long option, relative' encfs --config=key.xml "$E" "$RAW" "$MNT"
t 'not there' encfs -c none.xml "$E" "$RAW" "$MNT"
t 'the option wins' env ENCFS6_CONFIG="$DIR/none.xml" encfs -c key.xml "$E" "$RAW" "$MNT"
t 'none, and a new one is not made by an option' encfs -c none.xml --standard "$E" "$RAW" "$MNT"
test -e none.xml || echo "not made"
echo '<xml' >broken.xml
t 'malformed' encfs -c broken.xml "$E" "$RAW" "$MNT"
t 'malformed, in the foreground' encfs -f -c broken.xml "$E" "$RAW" "$MNT"
# decrypted by another program: read once, front to back
fifo() { mkfifo pipe; cat key.xml >pipe & "$@" || status=$?; rm pipe; return ${status:-0}; }
t 'through a FIFO' fifo env ENCFS6_CONFIG="$DIR/pipe" encfs "$E" "$RAW" "$MNT"
t 'through a FIFO by the option' fifo encfs -c "$DIR/pipe" "$E" "$RAW" "$MNT"
inside() { mkfifo "$RAW/.encfs6.xml"; cat key.xml >"$RAW/.encfs6.xml" & "$@" || status=$?; rm "$RAW/.encfs6.xml"; return ${status:-0}; }
t 'a FIFO in its place' inside encfs "$E" "$RAW" "$MNT"
descriptor() { "$@" 9<key.xml; }
t 'a descriptor' descriptor env ENCFS6_CONFIG=/dev/fd/9 encfs "$E" "$RAW" "$MNT"
piped() { cat key.xml | "$@"; }
t 'a pipe as a descriptor' piped env ENCFS6_CONFIG=/dev/fd/0 encfs "$E" "$RAW" "$MNT"
