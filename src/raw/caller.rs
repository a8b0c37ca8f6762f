//! Making files as the caller would: with its umask, and where asked its owner and group.
//!
//! The umask matters beyond the mode bits: where the parent directory has a default ACL the
//! kernel ignores it, so it cannot be applied beforehand. Each thread that creates files
//! therefore gets a umask of its own, once; where the system forbids that (some containers), the
//! umask is taken off the mode, which is right wherever there is no default ACL.

use std::cell::Cell;

use nix::sched::CloneFlags;
use nix::unistd::{Gid, Uid};
use rustix::fs::Mode;

/// The user and group that new nodes shall belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ids {
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

/// User and group that this process acts as.
#[must_use]
pub fn own_ids() -> Ids {
    Ids {
        uid: rustix::process::geteuid().as_raw(),
        gid: rustix::process::getegid().as_raw(),
    }
}

/// Groups that this process belongs to besides its own; none if that cannot be told.
#[must_use]
pub fn own_groups() -> Vec<u32> {
    let groups = rustix::process::getgroups().unwrap_or_default();
    groups.into_iter().map(|gid| gid.as_raw()).collect()
}

/// Sets the umask of the process to 0: from now on [`create_as`] applies the caller's.
pub fn forget_process_umask() {
    rustix::process::umask(Mode::empty());
}

/// Runs `create` with the mode it shall pass on, so that the node it makes has `mode` under the
/// caller's `umask`, and, with `ids`, belongs to them.
///
/// The process must have called [`forget_process_umask`]. With `ids` other than its own it must
/// be root; permission is then checked as for `ids`, with that one group.
pub fn create_as<T>(ids: Option<Ids>, mode: u32, umask: u32, create: impl FnOnce(u32) -> T) -> T {
    let own = own_ids();
    let _ids = ids.filter(|ids| *ids != own).map(ActAs::new);
    if thread_has_own_umask() {
        rustix::process::umask(Mode::from_raw_mode(umask));
        let result = create(mode);
        rustix::process::umask(Mode::empty());
        result
    } else {
        create(mode & !umask)
    }
}

/// Filesystem user and group of this thread, put back when dropped.
struct ActAs {
    uid: Uid,
    gid: Gid,
}

impl ActAs {
    fn new(ids: Ids) -> Self {
        // The group first: without root's user it could not be changed any more.
        let gid = nix::unistd::setfsgid(Gid::from_raw(ids.gid));
        let uid = nix::unistd::setfsuid(Uid::from_raw(ids.uid));
        Self { uid, gid }
    }
}

impl Drop for ActAs {
    fn drop(&mut self) {
        nix::unistd::setfsuid(self.uid);
        nix::unistd::setfsgid(self.gid);
    }
}

fn thread_has_own_umask() -> bool {
    thread_local! {
        static OWN: Cell<Option<bool>> = const { Cell::new(None) };
    }
    OWN.with(|own| {
        if let Some(known) = own.get() {
            return known;
        }
        let done = nix::sched::unshare(CloneFlags::CLONE_FS).is_ok();
        own.set(Some(done));
        done
    })
}
