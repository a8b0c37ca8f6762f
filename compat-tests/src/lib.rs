//! The other program, the bad storage, the stopwatch: what tests of encfs-rs share.
