//! Cuts that take effect late: the file keeps its old tail until then.

use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::fs::{fstat, ftruncate};
use rustix::io::Errno;

use super::nodes::{Id, id_of};

#[derive(Debug)]
struct Cut {
    due: Duration,
    id: Id,
    file: OwnedFd,
    size: u64,
}

/// Cuts that were acknowledged.
#[derive(Debug, Default)]
pub(super) struct Cuts(Vec<Cut>);

impl Cuts {
    pub(super) fn order(&mut self, due: Duration, file: OwnedFd, size: u64) -> Result<(), Errno> {
        let id = id_of(&fstat(&file)?);
        self.0.push(Cut {
            due,
            id,
            file,
            size,
        });
        Ok(())
    }

    /// What was written after the order stays.
    pub(super) fn written(&mut self, id: Id, end: u64) {
        for cut in self.0.iter_mut().filter(|cut| cut.id == id) {
            cut.size = cut.size.max(end);
        }
    }

    pub(super) fn settle(&mut self, now: Duration) -> Result<(), Errno> {
        for cut in self.0.extract_if(.., |cut| cut.due <= now) {
            let size = u64::try_from(fstat(&cut.file)?.st_size).unwrap_or(0);
            if size > cut.size {
                ftruncate(&cut.file, cut.size)?;
            }
        }
        Ok(())
    }
}
