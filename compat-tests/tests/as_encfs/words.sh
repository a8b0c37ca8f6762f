# how command lines are read; with the usage, where one is shown
protocol="$protocol|^Build: encfs version 1.9.5|^Usage: encfs \[options\] rootDir mountPoint"
E="--extpass=cat '$PW'"
t 'no word' encfs
t 'one word' encfs "$RAW"
t 'unknown long option' encfs --bogus "$E" "$RAW" "$MNT"
t 'unknown long option with a value' encfs "$E" --bogus=1 "$RAW" "$MNT"
t 'unknown letters' encfs -kZ "$E" "$RAW" "$MNT"
t 'options after the directories' encfs "$RAW" "$MNT" "$E" -s
t 'options between them' encfs "$RAW" "$E" "$MNT"
t 'the end of options' encfs "$E" -- "$RAW" "$MNT"
t 'cut options' encfs --extp="cat '$PW'" --forc --requi "$RAW" "$MNT"
t 'cut further' encfs --e "cat '$PW'" --fo "$RAW" "$MNT"
t 'ambiguous' encfs "$E" --no --f "$RAW" "$MNT"
t 'ambiguous before a name' encfs --rev
t 'a value too many' encfs "$E" --nocache=1 "$RAW" "$MNT"
t 'a value missing' encfs "$E" "$RAW" "$MNT" --syslogtag
t 'a letter without its value' encfs "$E" "$RAW" "$MNT" -i
t 'a value that takes the directory' encfs "$RAW" --idle "$MNT"
for idle in -i5 '-i 5' -i0 -ix --idle=5 --idle=-1 '--idle= 7'; do
    t "idle time $idle" encfs "$E" "$idle" "$RAW" "$MNT"
done
