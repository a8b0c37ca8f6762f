# what is checked before anything is asked; with the usage, where one is shown
protocol="$protocol|^Build: encfs version 1.9.5|^Usage: encfs \[options\] rootDir mountPoint"
E="--extpass=cat '$PW'"
t 'relative paths' encfs "$E" raw mnt
t 'a relative mount point' encfs "$E" "$RAW" mnt
mkdir "$MNT/raw"
t 'root inside the mount point' encfs "$E" "$MNT/raw" "$MNT"
rmdir "$MNT/raw"
t 'the same directory twice' encfs "$E" "$RAW" "$RAW/"
t 'delay alone' encfs --delaymount "$E" "$RAW" "$MNT"
t 'on demand without a program' encfs -m -S "$RAW" "$MNT"
t 'both in order' encfs --delaymount --ondemand "$E" "$RAW" "$MNT"
t 'unmount without a name' encfs -u
t 'unmount with two' encfs -u "$MNT" "$RAW"
t 'unmount nothing' encfs -u "$MNT"
t 'unmount by the long option' encfs --unmount=x "$MNT"
encfs "$E" "$RAW" "$MNT"
cd "$DIR"
t 'unmount a relative name' encfs -u mnt
mountpoint -q "$MNT" || echo "gone"
encfs "$E" "$RAW" "$MNT"
exec 5<"$MNT/size-1"
t 'unmount what is in use' encfs -u "$MNT"
mountpoint -q "$MNT" || echo "gone"
exec 5<&-
ln -s "$RAW" link
t 'a link to the root' encfs "$E" "$DIR/link" "$MNT"
ln -s "$MNT" link2
t 'a link to the mount point' encfs "$E" "$RAW" "$DIR/link2"
