//! The other program, the bad storage, the stopwatch: what tests of encfs-rs share.
//!
//! | module | what it is for |
//! |---|---|
//! | [`run`] | a program run to its end within a bounded time |
//! | [`oracle`] | the programs under test: EncFS 1.9.5 and encfs-rs, by one interface |
//! | [`mounted`] | a mount that is in place when it is returned and gone when it is dropped |
//! | [`daemon`] | processes that serve a mount in the background |
//! | [`client`] | the folder of a program that finds encfs and encfsctl on its search path |
//! | [`volumes`] | settings of volumes, their matrix, and volumes with these settings |
//! | [`tree`] | what lies in a directory, and how two directories differ |
//! | [`ops`] | changes to a tree as data, done alike on a mount and on a plain directory |
//! | [`script`] | deterministic lists of such changes |
//! | [`pair`] | a volume with a model beside it |
//! | [`random`] | random changes to a tree |
//! | [`disk`] | a folder on a local disk, and volumes mounted for all users on it |
//! | [`counted`] | a volume without a mount, its raw operations counted call by call |
//! | [`docs`] | man pages and completions from the definitions of the command line |
//! | [`rawfs`] | raw storage that misbehaves on demand, and volumes on it |
//! | [`typist`] | a program at a terminal, and somebody who types |
//! | [`private`] | scripts in a mount namespace of their own |
//! | [`storage`] | real storage on loopback: sshfs, rclone, davfs2, s3fs |
//! | [`play`] | commands shown as a person would type them, for demonstrations |
//! | [`modes`] | the article's workload on every kind of storage, as a table |
//! | [`manifest`] | the fixture volumes and what their manifests promise |
//!
//! Nothing here skips: a tool that is missing is an error that says what to install.

pub mod client;
pub mod counted;
pub mod daemon;
pub mod disk;
pub mod docs;
pub mod manifest;
pub mod modes;
pub mod mounted;
pub mod ops;
pub mod oracle;
pub mod pair;
pub mod play;
pub mod private;
pub mod random;
pub mod rawfs;
pub mod run;
pub mod script;
pub mod storage;
pub mod tree;
pub mod typist;
pub mod volumes;
