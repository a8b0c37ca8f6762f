//! EncFS in Rust.
//!
//! A house of floors; a module imports only from lower floors (the test
//! `compat-tests/tests/house.rs` holds this table):
//!
//! | floor | modules | what they are for |
//! |---|---|---|
//! | 7 | `bin/` | parse, call, exit code |
//! | 6 | [`cli`], [`mount`], [`ctl`] | words to requests; life of a mount; one file per subcommand |
//! | 5 | [`fuse`] | adapter to the FUSE library: translate, reply, errno. No decisions |
//! | 4 | [`fs`] | the filesystem by inode, without FUSE |
//! | 3 | [`volume`], [`profile`] | an opened volume; how a new one is chosen |
//! | 2 | [`config`], [`config_xml`], [`nameio`], [`blockio`]; [`probe`] | the format; the examination of storage |
//! | 1 | [`crypto`], [`raw`], [`term`] | primitives; system calls; the terminal |
//! | 0 | [`secret`] | zeroised bytes |
//!
//! On one floor only `config_xml` imports `config`, and `ctl` and `mount` import `cli`.

pub mod blockio;
pub mod cli;
pub mod config;
pub mod config_xml;
pub mod crypto;
pub mod ctl;
pub mod fs;
pub mod fuse;
pub mod mount;
pub mod nameio;
pub mod probe;
pub mod profile;
pub mod raw;
pub mod secret;
pub mod term;
pub mod volume;
