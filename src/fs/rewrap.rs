//! A file's header under another external IV: the file IV in it stays (format 7.9).
//!
//! In two steps, so that file IVs can be recorded in between: [`EncFs::open_header`] reads,
//! [`EncFs::rewrap_header`] writes.

use std::sync::Arc;

use super::open_files::OpenFile;
use super::recent::{LAG_STEP, LAG_TRIES, LONGEST_LAG, shows};
use super::tree::NodeId;
use super::{EncFs, FsError};
use crate::blockio::{self, HEADER_LEN};
use crate::raw::{self, Access, Dir, Errno, File, Kind, Name, SetTime, Stat};

/// A raw file whose header is about to change.
pub(super) struct Header {
    file: File,
    stat: Stat,
    /// The raw header and its file IV; none in an empty or damaged file.
    raw: Option<([u8; HEADER_LEN], u64)>,
    /// What its handles share, if it is open.
    open: Option<Arc<OpenFile>>,
}

impl Header {
    /// The file IV in the header, if there is one.
    pub(super) fn file_iv(&self) -> Option<u64> {
        self.raw.map(|(_, file_iv)| file_iv)
    }
}

impl EncFs {
    /// Opens a raw file and reads its header under the external IV that `iv` gives.
    ///
    /// Storage that uploads after the close, or whose sizes lag, may show the version before: its
    /// header must not be taken for that of the file, nor be sent off over it. So this waits until
    /// it shows what this mount has written.
    ///
    /// # Errors
    /// [`blockio::Error::Unsettled`] if it does not in time; what the storage answered.
    pub(super) fn open_header(
        &self,
        dir: &Dir,
        name: &Name,
        node: Option<NodeId>,
        iv: u64,
    ) -> Result<Header, FsError> {
        for _ in 0..LAG_TRIES {
            let header = self.open_header_now(dir, name, node, iv)?;
            let left = node.and_then(|node| self.tree.with(node, |node| node.left).flatten());
            match left {
                Some((when, len))
                    if header.open.is_none()
                        && header.stat.size != len
                        && when.elapsed() < LONGEST_LAG
                        // Only the size is an old one, and the header was read.
                        && !(header.raw.is_some() && shows(&header.file, len)?) =>
                {
                    std::thread::sleep(LAG_STEP);
                }
                _ => return Ok(header),
            }
        }
        tracing::warn!("{name} was written here and the storage does not show it yet");
        Err(blockio::Error::Unsettled { found: 0 }.into())
    }

    fn open_header_now(
        &self,
        dir: &Dir,
        name: &Name,
        node: Option<NodeId>,
        iv: u64,
    ) -> Result<Header, FsError> {
        let open = node.and_then(|node| self.open_files.get(node));
        let file = open_for_header(dir, name)?;
        let stat = file.stat()?;
        // Storage that lags may call a file empty that is not: only reading tells.
        let raw = if stat.kind == Kind::File {
            self.read_header(&file, name, iv)?
        } else {
            None
        };
        Ok(Header {
            file,
            stat,
            raw,
            open,
        })
    }

    fn read_header(
        &self,
        file: &File,
        name: &Name,
        iv: u64,
    ) -> Result<Option<([u8; HEADER_LEN], u64)>, FsError> {
        let mut raw = [0_u8; HEADER_LEN];
        let got = file.read_at(&mut raw, 0)?;
        if got == 0 {
            return Ok(None);
        }
        if got < HEADER_LEN {
            tracing::warn!("{name} is shorter than its header: renamed as it is");
            return Ok(None);
        }
        match self.volume.codec.header_iv(raw, self.external_iv(iv)) {
            Ok(file_iv) => Ok(Some((raw, file_iv))),
            Err(blockio::Error::BadHeader) => {
                tracing::warn!("the header of {name} is damaged: renamed as it is");
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Writes the header for the external IV that `new_iv` gives. The result: whether anything
    /// changed.
    pub(super) fn rewrap_header(
        &self,
        header: &Header,
        old_iv: u64,
        new_iv: u64,
    ) -> Result<bool, FsError> {
        let (old_iv, new_iv) = (self.external_iv(old_iv), self.external_iv(new_iv));
        let Some(open) = &header.open else {
            return match header.raw {
                Some((raw, _)) => {
                    self.write_header(&header.file, &header.stat, raw, [old_iv, new_iv])
                }
                None => Ok(false),
            };
        };
        // Whoever has the file open waits, so that nobody reads or writes the one header under
        // the external IV of the other. It may have got or lost its header since it was read.
        let mut content = open.content.write();
        if content.stored_len() >= HEADER_LEN as u64 {
            let mut raw = [0_u8; HEADER_LEN];
            if header.file.read_at(&mut raw, 0)? == HEADER_LEN
                && let Ok(file_iv) = self.volume.codec.header_iv(raw, old_iv)
            {
                if header.file_iv() != Some(file_iv) {
                    self.note_file_ivs(vec![file_iv])?;
                }
                // Its times may have changed as well.
                let stat = header.file.stat()?;
                self.write_header(&header.file, &stat, raw, [old_iv, new_iv])?;
            }
        }
        content.set_external_iv(new_iv);
        Ok(true)
    }

    fn write_header(
        &self,
        file: &File,
        stat: &Stat,
        raw: [u8; HEADER_LEN],
        [old_iv, new_iv]: [u64; 2],
    ) -> Result<bool, FsError> {
        let new_raw = self.volume.codec.rewrap_header(raw, old_iv, new_iv)?;
        let kept = Kept::of(file, stat)?;
        let written = file
            .write_at(&new_raw, 0)
            .and_then(|()| kept.put_back(file))
            // The name must not reach storage before the header: what was synced under the old
            // name is then readable under the new one, whatever happens.
            .and_then(|()| file.sync(true));
        if let Err(error) = written {
            // The file keeps its name, so it must get back the header that belongs to it.
            if let Err(error) = file.write_at(&raw, 0) {
                tracing::error!("a header could not be put back after a failed step: {error}");
                self.keep_intents();
            }
            let _ = kept.put_back(file);
            return Err(error.into());
        }
        Ok(true)
    }
}

/// What writing a header takes from a file: times, file capabilities, set-ID bits.
pub(super) struct Kept<'a> {
    stat: &'a Stat,
    capabilities: Option<Vec<u8>>,
}

impl<'a> Kept<'a> {
    pub(super) fn of(file: &File, stat: &'a Stat) -> Result<Self, FsError> {
        // Only root could put them back.
        let capabilities = if crate::raw::own_ids().uid == 0 {
            match file.xattr(c"security.capability") {
                Ok(value) => Some(value),
                Err(error)
                    if matches!(error.errno, Errno::NODATA | Errno::OPNOTSUPP | Errno::NOSYS) =>
                {
                    None
                }
                Err(error) => return Err(error.into()),
            }
        } else {
            None
        };
        Ok(Self { stat, capabilities })
    }

    pub(super) fn put_back(&self, file: &File) -> Result<(), raw::Error> {
        if let Some(value) = &self.capabilities {
            file.set_xattr(c"security.capability", value, 0)?;
        }
        if self.stat.mode & 0o6000 != 0 {
            file.set_mode(self.stat.mode)?;
        }
        let (atime, mtime) = (self.stat.atime, self.stat.mtime);
        unless_not_ours(file.set_times(SetTime::To(atime), SetTime::To(mtime)))
    }
}

/// Only its owner may set a file's times to a given moment; whoever may write it may rename it all
/// the same.
pub(super) fn unless_not_ours(result: Result<(), raw::Error>) -> Result<(), raw::Error> {
    match result {
        Err(error) if matches!(error.errno, Errno::PERM | Errno::ACCESS) => Ok(()),
        result => result,
    }
}

/// Opens a raw file whose header is to change, also if its mode forbids that to its owner.
pub(super) fn open_for_header(dir: &Dir, name: &Name) -> Result<File, FsError> {
    match dir.open_file(name, Access::ReadWrite) {
        Err(error) if error.errno == Errno::ACCESS => {
            let stat = dir.stat(name)?;
            if stat.kind != Kind::File || stat.uid != crate::raw::own_ids().uid {
                return Err(error.into());
            }
            dir.set_mode(name, stat.mode | 0o600)?;
            let opened = dir.open_file(name, Access::ReadWrite);
            dir.set_mode(name, stat.mode)?;
            Ok(opened?)
        }
        result => Ok(result?),
    }
}
