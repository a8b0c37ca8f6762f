//! Storage as it is found: what a name stands for, and where that is known from.

use std::time::Duration;

use rustix::io::Errno;

use super::Options;
use super::behaviour::{Act, Behaviour, Order, Spelling, Truncation, Upload};
use super::latency::Latency;
use super::nodes::Numbers;
use super::op::Op;

const XATTRS: &[Op] = &[Op::Setxattr, Op::Getxattr, Op::Listxattr, Op::Removexattr];

/// Every preset.
pub const PRESETS: &[&str] = &[
    "clean",
    "omnifs",
    "sshfs",
    "s3fs",
    "rclone-off",
    "rclone-writes",
    "davfs2",
    "fat",
];

/// The options that a name stands for.
#[must_use]
pub fn preset(name: &str) -> Option<Options> {
    match name {
        "clean" => Some(Options::default()),
        "omnifs" => Some(omnifs()),
        "sshfs" => Some(sshfs()),
        "s3fs" => Some(s3fs()),
        "rclone-off" => Some(rclone_off()),
        "rclone-writes" => Some(rclone_writes()),
        "davfs2" => Some(davfs2()),
        "fat" => Some(fat()),
        _ => None,
    }
}

/// A web drive of 2007. The service is gone; this gives, with EncFS 1.9.5, the symptom and the
/// cure that were reported of it: 20 ms a request, uploads after the close, and a truncation to
/// anything but zero acknowledged and not done.
fn omnifs() -> Options {
    let upload = Upload {
        delay: Duration::from_millis(400),
        size_is_right: true,
    };
    Options {
        latency: Latency::of(Duration::from_millis(20)),
        attr_timeout: Duration::ZERO,
        behaviour: Behaviour {
            truncation: Truncation::but_zero(Act::Ignore),
            upload: Some(upload),
            ..Behaviour::default()
        },
        ..Options::default()
    }
}

/// sshfs 3.7 to an sshd whose user may not chown. Measured: times keep whole seconds, hard links
/// are made and not counted, chown is refused with EACCES, there are no extended attributes and
/// no FIFOs, inode numbers are counted up, renames take no flags (its manual says so too).
fn sshfs() -> Options {
    Options {
        numbers: Numbers::Counted,
        behaviour: Behaviour {
            mtime_step: Duration::from_secs(1),
            hides_links: true,
            rename_flags: Some(Errno::INVAL),
            ..Behaviour::default()
        }
        .refusing(&[Op::Chown], Errno::ACCESS)
        .refusing(&[Op::Mknod], Errno::PERM)
        .refusing(&[Op::Fallocate], Errno::OPNOTSUPP)
        .refusing(XATTRS, Errno::OPNOTSUPP),
        ..Options::default()
    }
}

/// s3fs, by its manual and README ("Limitations"): no atomic renames, no hard links, random
/// writes and appends rewrite the object at close, 100 ms and more a request (here 30).
fn s3fs() -> Options {
    let upload = Upload {
        delay: Duration::ZERO,
        size_is_right: true,
    };
    Options {
        latency: Latency::of(Duration::from_millis(30)),
        numbers: Numbers::Counted,
        behaviour: Behaviour {
            upload: Some(upload),
            mtime_step: Duration::from_secs(1),
            rename_in_steps: true,
            rename_flags: Some(Errno::INVAL),
            ..Behaviour::default()
        }
        .refusing(&[Op::Link], Errno::PERM)
        .refusing(&[Op::Fallocate], Errno::OPNOTSUPP),
        ..Options::default()
    }
}

/// What a mount by rclone has in common, by `rclone mount --help`: no links of either kind, no
/// modes and owners, no extended attributes.
fn rclone() -> Behaviour {
    Behaviour {
        rename_flags: Some(Errno::INVAL),
        ..Behaviour::default()
    }
    .ignoring(&[Op::Chmod, Op::Chown])
    .refusing(&[Op::Link, Op::Symlink, Op::Mknod], Errno::NOSYS)
    .refusing(&[Op::Fallocate], Errno::NOSYS)
    .refusing(XATTRS, Errno::NOSYS)
}

/// `rclone mount --vfs-cache-mode off`, by its help: files are written from the start to the
/// end, without seeking, and opened for writing only together with truncation; existing files
/// cannot be changed in place.
fn rclone_off() -> Options {
    let upload = Upload {
        delay: Duration::ZERO,
        size_is_right: true,
    };
    Options {
        numbers: Numbers::Counted,
        behaviour: Behaviour {
            truncation: Truncation::but_zero(Act::Refuse(Errno::PERM)),
            upload: Some(upload),
            order: Order::SequentialOnly(Errno::PERM),
            ..rclone()
        },
        ..Options::default()
    }
}

/// `rclone mount --vfs-cache-mode writes`, by its help: files that are written lie in a local
/// cache, which later opens see, until they are uploaded; so contents are as on a local disk.
fn rclone_writes() -> Options {
    Options {
        numbers: Numbers::Counted,
        behaviour: rclone(),
        ..Options::default()
    }
}

/// davfs2, by its manual: WebDAV knows no links, no modes or owners (kept until the unmount
/// only), and no way to set a time; the server's times have whole seconds. A local cache makes
/// contents what was written.
fn davfs2() -> Options {
    Options {
        numbers: Numbers::Counted,
        behaviour: Behaviour {
            mtime_step: Duration::from_secs(1),
            rename_flags: Some(Errno::INVAL),
            ..Behaviour::default()
        }
        .ignoring(&[Op::Utimens])
        .refusing(&[Op::Link, Op::Symlink, Op::Mknod], Errno::PERM)
        .refusing(&[Op::Fallocate], Errno::OPNOTSUPP)
        .refusing(XATTRS, Errno::OPNOTSUPP),
        ..Options::default()
    }
}

/// FAT on a stick, by the kernel's documentation (`filesystems/vfat`) and mount(8): times of two
/// seconds, no difference of case, no links, no owners, modes ignored (option `quiet`), inode
/// numbers that change, bytes that names may not have.
fn fat() -> Options {
    let mut forbidden: Vec<u8> = (1..0x20).collect();
    forbidden.extend_from_slice(b"\"*:<>?\\|");
    Options {
        numbers: Numbers::Counted,
        behaviour: Behaviour {
            mtime_step: Duration::from_secs(2),
            spelling: Spelling {
                longest: Some(255),
                case_insensitive: true,
                forbidden,
            },
            rename_flags: Some(Errno::INVAL),
            ..Behaviour::default()
        }
        .ignoring(&[Op::Chmod, Op::Chown])
        .refusing(&[Op::Link, Op::Symlink, Op::Mknod], Errno::PERM)
        .refusing(XATTRS, Errno::OPNOTSUPP),
        ..Options::default()
    }
}
