//! What is known of a storage, by an examination or by the kernel alone.

use crate::probe::{Case, Findings, HardLinks, Outcome};
use crate::raw::{Errno, SpaceInfo};

/// Filesystems that take A for a, whatever they are mounted with.
const ONE_CASE: [&str; 4] = ["vfat", "msdos", "exfat", "hfsplus"];
/// Filesystems that store whole objects: a change inside a file sends all of it.
const WHOLE_OBJECTS: [&str; 3] = ["fuse.s3fs", "fuse.rclone", "fuse.gcsfuse"];
/// Filesystems that take a file from its start to its end, and no change of one that exists.
const WRITTEN_ONCE: [&str; 2] = ["fuse.goofys", "fuse.mount-s3"];

/// What is known of a storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storage {
    pub(super) findings: Findings,
    /// A change inside a file sends all of it.
    pub(super) whole_objects: bool,
}

impl Storage {
    /// Storage of this type (as the mount table has it) that was examined.
    #[must_use]
    pub fn examined(filesystem_type: Option<&str>, findings: Findings) -> Self {
        Self {
            findings,
            whole_objects: filesystem_type.is_some_and(|name| WHOLE_OBJECTS.contains(&name)),
        }
    }

    /// Storage of which is known what the kernel says without being asked to do anything; for the rest it is
    /// taken to be good.
    #[must_use]
    pub fn by_kernel(
        filesystem_type: Option<&str>,
        remote: bool,
        space: Option<SpaceInfo>,
    ) -> Self {
        let is_in = |list: &[&str]| filesystem_type.is_some_and(|name| list.contains(&name));
        let mut findings = Findings::good();
        findings.remote = remote;
        findings.space = space;
        // Some say 0, or more than Linux allows.
        let name_max = space.map_or(0, |space| space.name_max);
        if let Ok(longest @ 1..255) = u16::try_from(name_max) {
            findings.names.longest = Some(longest);
        }
        if is_in(&ONE_CASE) {
            findings.names.case = Case::Same;
        }
        if is_in(&WRITTEN_ONCE) {
            findings.overwrite_header = Outcome::Refused(Errno::PERM);
            findings.append = Outcome::Refused(Errno::PERM);
            findings.second_write = Outcome::Refused(Errno::PERM);
        }
        if is_in(&ONE_CASE) || is_in(&WHOLE_OBJECTS) || is_in(&WRITTEN_ONCE) {
            findings.hard_links = HardLinks::Refused(Errno::PERM);
        }
        Self::examined(filesystem_type, findings)
    }

    /// What is known, in detail.
    #[must_use]
    pub fn findings(&self) -> &Findings {
        &self.findings
    }
}
