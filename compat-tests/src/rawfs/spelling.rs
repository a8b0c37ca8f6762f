//! Names that the storage refuses, and names that are the same to it.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use rustix::io::Errno;

use super::behaviour::Spelling;
use super::pass_through::Backing;

impl Spelling {
    /// Whether an entry may get this name.
    pub(super) fn check(&self, name: &OsStr) -> Result<(), Errno> {
        let bytes = name.as_bytes();
        if self.longest.is_some_and(|longest| bytes.len() > longest) {
            return Err(Errno::NAMETOOLONG);
        }
        if bytes.iter().any(|byte| self.forbidden.contains(byte)) {
            return Err(Errno::INVAL);
        }
        Ok(())
    }

    /// The name under which an entry is stored, if it is there in other letters.
    pub(super) fn stored<'a>(
        &self,
        backing: &Backing,
        parent: u64,
        name: &'a OsStr,
    ) -> Cow<'a, OsStr> {
        if !self.case_insensitive {
            return Cow::Borrowed(name);
        }
        let same = |other: &[u8]| other.eq_ignore_ascii_case(name.as_bytes());
        let Ok(names) = backing.names(parent) else {
            return Cow::Borrowed(name);
        };
        let exact = names.iter().any(|other| other == name.as_bytes());
        match names.into_iter().find(|other| same(other)) {
            Some(other) if !exact => Cow::Owned(OsStr::from_bytes(&other).to_owned()),
            _ => Cow::Borrowed(name),
        }
    }
}
