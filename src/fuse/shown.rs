//! Owners and permissions that are shown in place of the raw files' own (`-o uid=`, `gid=`, `umask=`).
//!
//! As libfuse does it: what users see, and what permissions are checked by, is made from the options;
//! storage keeps its own, and a change of owner or mode still goes there.

use crate::fs::Attr;
use crate::raw::Kind;

/// What is shown; nothing of it by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shown {
    /// Owner of everything.
    pub uid: Option<u32>,
    /// Group of everything.
    pub gid: Option<u32>,
    /// Permissions that nobody has.
    pub umask: Option<u32>,
    /// The same for all but directories.
    pub fmask: Option<u32>,
    /// The same for directories.
    pub dmask: Option<u32>,
}

impl Shown {
    /// Whether permissions depend on the raw files alone.
    pub(super) fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Attributes as users see them.
    pub(super) fn of(&self, attr: &Attr) -> Attr {
        let mask = match attr.kind {
            Kind::Dir => self.dmask,
            _ => self.fmask,
        };
        Attr {
            uid: self.uid.unwrap_or(attr.uid),
            gid: self.gid.unwrap_or(attr.gid),
            mode: mask.or(self.umask).map_or(attr.mode, |mask| 0o777 & !mask),
            ..*attr
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::NodeId;
    use crate::raw::Time;

    fn attr(kind: Kind) -> Attr {
        let time = Time { secs: 1, nanos: 2 };
        Attr {
            node: NodeId(5),
            kind,
            mode: 0o4710,
            nlink: 1,
            uid: 10,
            gid: 20,
            rdev: 0,
            size: 3,
            blocks: 8,
            blksize: 4096,
            atime: time,
            mtime: time,
            ctime: time,
        }
    }

    #[test]
    fn what_is_given_is_shown_and_the_rest_is_the_files_own() {
        let file = attr(Kind::File);
        assert_eq!(Shown::default().of(&file), file);
        assert!(Shown::default().is_nothing());
        let owner = Shown {
            uid: Some(0),
            ..Shown::default()
        };
        assert_eq!(owner.of(&file), Attr { uid: 0, ..file });
        let masks = Shown {
            gid: Some(7),
            umask: Some(0o77),
            dmask: Some(0o22),
            ..Shown::default()
        };
        let shown = masks.of(&file);
        assert_eq!((shown.mode, shown.uid, shown.gid), (0o700, 10, 7));
        assert_eq!(masks.of(&attr(Kind::Dir)).mode, 0o755);
        assert_eq!(masks.of(&attr(Kind::Symlink)).mode, 0o700);
    }
}
