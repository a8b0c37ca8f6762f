# the foreground, signals, ends
E="--extpass=cat '$PW'"
serve() {
    mkfifo said
    # a shell's background ignores INT, which would be inherited
    env --default-signal "$@" 2>said >out &
    pid=$!
    exec 4<said
    rm said
}
for signal in INT TERM HUP; do
    serve encfs -f --annotate "$E" "$RAW" "$MNT"
    until mountpoint -q "$MNT"; do kill -0 $pid; done
    kill -$signal $pid
    status=0
    wait $pid || status=$?
    echo "== $signal: $status"
    grep '^\$' <&4
    mountpoint -q "$MNT" || echo gone
done
for way in "umount $MNT" "fusermount3 -u $MNT" "fusermount -uz $MNT" "encfs -u $MNT"; do
    serve encfs -f --annotate "$E" "$RAW" "$MNT"
    until mountpoint -q "$MNT"; do kill -0 $pid; done
    $way >/dev/null
    status=0
    wait $pid || status=$?
    echo "== ${way%% *}: $status"
    grep '^\$' <&4
done
serve encfs -f --annotate "$E" "$RAW" "$MNT"
until mountpoint -q "$MNT"; do kill -0 $pid; done
kill -KILL $pid
status=0
wait $pid 2>"$DIR/killed" || status=$?
echo "== killed: $status"
t 'the dead mount is taken away' encfs -u "$MNT"
findmnt "$MNT" || echo gone
