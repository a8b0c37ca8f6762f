# a new volume: the menu, the answers in their order, one password line
fresh() { rm -rf "$DIR/new"; mkdir "$DIR/new"; printf "$1" >"$DIR/line"; shift; "$@" <"$DIR/line"; }
made() { grep -oE '<(keySize|blockSize|uniqueIV|chainedNameIV|externalIVChaining|blockMACBytes|blockMACRandBytes|allowHoles)>[0-9]*' "$DIR/new/.encfs6.xml" 2>/dev/null || echo none; }
N="$DIR/new"
for letter in p P '' s; do
    t "letter '$letter'" fresh "$letter\nsecret\n" encfs -S "$N" "$MNT"
    made
done
t 'annotated' fresh 'p\nsecret\n' encfs --annotate -S "$N" "$MNT"
made
t 'standard' fresh 'secret\n' encfs -S --standard "$N" "$MNT"
made
t 'the last counts' fresh 'secret\n' encfs -S --standard --paranoia "$N" "$MNT"
made
t 'MACs wanted' fresh 'secret\n' encfs -S --standard --require-macs "$N" "$MNT"
made
t 'reverse' fresh 'secret\n' encfs -S --standard --reverse "$N" "$MNT"
made
t 'reverse and paranoia' fresh 'secret\n' encfs -S --paranoia --reverse "$N" "$MNT"
made
t 'the line before the program' fresh 'secret\n' encfs -S --standard --extpass='echo other' "$N" "$MNT"
t 'opened by it' encfs --extpass='echo secret' "$N" "$MNT"
t 'by a program' fresh '' encfs --standard --extpass='echo secret' "$N" "$MNT"
t 'typed twice' fresh 'secret\nsecret\n' encfs --standard "$N" "$MNT"
t 'typed, and not the same' fresh 'one\ntwo\nsecret\nsecret\n' encfs --standard "$N" "$MNT"
t 'opened by the last' encfs --extpass='echo secret' "$N" "$MNT"
t 'no password' fresh '' encfs -S --standard "$N" "$MNT"
made
t 'an empty one' fresh '\n' encfs -S --standard "$N" "$MNT"
made
t 'expert by a pipe' fresh 'x\n1\n256\n1024\n1\ny\ny\ny\ny\n8\ny\nsecret\n' encfs -S "$N" "$MNT"
made
t 'expert of the article' fresh 'x\n1\n256\n4096\n4\ny\nn\nn\n0\ny\nsecret\n' encfs -S "$N" "$MNT"
made
t 'by a name that begins with x' fresh 'xyz\n1\n128\n64\n3\nn\nn\nn\n0\nn\nsecret\n' encfs -S "$N" "$MNT"
made
