# how the mount shows in the mount table; words of -o
E="--extpass=cat '$PW'"
t 'usual' encfs "$E" "$RAW" "$MNT"
t 'source' encfs "$E" "$RAW" "$MNT" -o fsname=X
t 'source and type' encfs "$E" "$RAW" "$MNT" -o "rw,fsname=encfs@$RAW,subtype=encfs"
t 'as SiriKali writes them' encfs "$E" "$RAW" "$MNT" -o "fsname=Encfs@$RAW,subtype=Encfs"
t 'a strange source' encfs "$E" "$RAW" "$MNT" -o 'fsname=a#b c'
t 'a comma in it' encfs "$E" "$RAW" "$MNT" -o 'fsname=a\,b'
t 'type alone' encfs "$E" "$RAW" "$MNT" -o subtype=vault
for words in ro rw nosuid,nodev dev,suid noexec noatime sync dirsync allow_other allow_root \
    auto_unmount nonempty hard_remove use_ino readdir_ino direct_io kernel_cache auto_cache \
    noauto_cache big_writes entry_timeout=2 negative_timeout=1 attr_timeout=0.5 ac_attr_timeout=1 \
    noforget remember=5 intr max_write=4096 max_readahead=65536 max_background=9 ro,rw rw,ro \
    no_remote_lock atomic_o_trunc async_read sync_read nopath congestion_threshold=3 bogus ''; do
    t "words: $words" encfs "$E" -o "$words" "$RAW" "$MNT"
done
t 'several lists' encfs "$E" -o ro "$RAW" "$MNT" -o noexec -- -o nosuid
t 'attached' encfs "$E" -oro "$RAW" "$MNT" -- -onoexec
t 'without the usual words' encfs --no-default-flags "$E" "$RAW" "$MNT"
t 'for the public' encfs --public "$E" "$RAW" "$MNT"
t 'words that are none' encfs "$E" "$RAW" "$MNT" extra
t 'options that are none' encfs "$E" "$RAW" "$MNT" -- -Z
t 'unknown long ones' encfs "$E" "$RAW" "$MNT" -- --bogus
touch "$MNT/.directory"
t 'not empty' encfs "$E" "$RAW" "$MNT"
t 'not empty, and that is fine' encfs "$E" "$RAW" "$MNT" -o nonempty
rm "$MNT/.directory"
encfs "$E" "$RAW" "$MNT"
t 'mounted already' encfs "$E" "$RAW" "$MNT"
