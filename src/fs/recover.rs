//! At mount: renames that broke off are finished or undone.
//!
//! Each recorded rename names two places. Whatever is found at one of them, and below it, must
//! have the names and headers of that place; what still has those of the other is brought into
//! line. So a directory that was already moved is finished and one that was not is undone, by the
//! same steps, and doing it twice changes nothing.

use std::collections::HashSet;

use super::intent::Intent;
use super::rename_tree::put_back_times;
use super::rewrap::{Kept, open_for_header};
use super::{EncFs, FsError};
use crate::blockio::HEADER_LEN;
use crate::nameio::{PlainName, ROOT_IV, RawName};
use crate::raw::{Dir, Errno, Kind, Name, RenameFlags};

/// Where an entry is and where it could have been: the IVs its raw name or header may have.
#[derive(Clone, Copy)]
struct Ivs {
    here: u64,
    other: u64,
}

impl EncFs {
    /// Settles what an earlier mount of this volume left behind.
    ///
    /// # Errors
    /// What the storage answered; nothing is lost, and the next mount tries again.
    pub(super) fn recover(&self) -> Result<(), FsError> {
        if !self.volume.names.depends_on_path() {
            return Ok(());
        }
        let Some((file, intents)) = self.left_intents()? else {
            return Ok(());
        };
        let file_ivs: HashSet<u64> = intents
            .iter()
            .flat_map(|intent| match intent {
                Intent::FileIvs(ivs) => ivs.as_slice(),
                Intent::Move { .. } => &[],
            })
            .copied()
            .collect();
        for intent in &intents {
            if let Intent::Move { from, to, .. } = intent
                && let Err(error) = self.settle(from, to, &file_ivs)
            {
                tracing::error!("a broken rename could not be settled: {error}");
                return self.keep_left_intents(file);
            }
        }
        drop(file);
        self.forget_left_intents()
    }

    fn settle(&self, from: &[u8], to: &[u8], file_ivs: &HashSet<u64>) -> Result<(), FsError> {
        for (here, other) in [(from, to), (to, from)] {
            let Some((dir, raw, here)) = self.find(here)? else {
                continue;
            };
            let stat = match dir.stat(raw.as_name()) {
                Err(error) if error.errno == Errno::NOENT => continue,
                stat => stat?,
            };
            let ivs = Ivs {
                here,
                other: self.volume.names.encode_path(other)?.1,
            };
            self.settle_entry(&dir, raw.as_name(), stat.kind, ivs, file_ivs)?;
        }
        Ok(())
    }

    /// The raw directory, raw name and IV of a plain path, if its parent exists.
    fn find(&self, path: &[u8]) -> Result<Option<(Dir, RawName, u64)>, FsError> {
        let mut dir = self.volume.root.reopen()?;
        let mut iv = ROOT_IV;
        let mut parts = path
            .split(|&byte| byte == b'/')
            .filter(|part| !part.is_empty())
            .peekable();
        while let Some(part) = parts.next() {
            let (raw, next) = self.volume.names.encode(&PlainName::new(part)?, iv)?;
            if parts.peek().is_none() {
                return Ok(Some((dir, raw, next)));
            }
            dir = match dir.open_dir(raw.as_name()) {
                Err(error) if matches!(error.errno, Errno::NOENT | Errno::NOTDIR) => {
                    return Ok(None);
                }
                dir => dir?,
            };
            iv = next;
        }
        Ok(None)
    }

    fn settle_entry(
        &self,
        dir: &Dir,
        name: &Name,
        kind: Kind,
        ivs: Ivs,
        file_ivs: &HashSet<u64>,
    ) -> Result<(), FsError> {
        match kind {
            Kind::Dir if ivs.here != ivs.other => {
                let below = dir.open_dir(name)?;
                let stat = below.stat_self()?;
                if self.settle_below(&below, ivs, file_ivs)? {
                    put_back_times(dir, name, &stat)?;
                }
                Ok(())
            }
            Kind::File if self.headers_depend_on_path() => {
                self.settle_header(dir, name, ivs, file_ivs)
            }
            _ => Ok(()),
        }
    }

    /// The result: whether a name was changed.
    fn settle_below(&self, dir: &Dir, ivs: Ivs, file_ivs: &HashSet<u64>) -> Result<bool, FsError> {
        let names = &self.volume.names;
        let mut changed = false;
        let all = dir.entries()?;
        let taken: HashSet<Box<[u8]>> = all.iter().map(|entry| entry.name.clone()).collect();
        for entry in all {
            let Ok(raw) = Name::new(entry.name) else {
                continue;
            };
            let is_right = names.decode(raw.as_bytes(), ivs.here);
            let (plain, right) = match is_right {
                Ok((plain, _)) => (plain, true),
                Err(_) => match names.decode(raw.as_bytes(), ivs.other) {
                    Ok((plain, _)) => (plain, false),
                    Err(_) => continue,
                },
            };
            let (right_raw, here) = names.encode(&plain, ivs.here)?;
            let (_, other) = names.encode(&plain, ivs.other)?;
            if !right && taken.contains(right_raw.as_bytes()) {
                // Somebody has made another entry of that name since: both stay as they are.
                tracing::warn!("{raw} belongs to a broken rename, but its name is taken");
                continue;
            }
            let kind = match entry.kind {
                Some(kind) => kind,
                None => dir.stat(&raw)?.kind,
            };
            self.settle_entry(dir, &raw, kind, Ivs { here, other }, file_ivs)?;
            if !right {
                dir.rename(&raw, dir, right_raw.as_name(), RenameFlags::empty())?;
                changed = true;
            }
        }
        Ok(changed)
    }

    fn settle_header(
        &self,
        dir: &Dir,
        name: &Name,
        ivs: Ivs,
        file_ivs: &HashSet<u64>,
    ) -> Result<(), FsError> {
        let file = open_for_header(dir, name)?;
        let stat = file.stat()?;
        let mut header = [0_u8; HEADER_LEN];
        if stat.kind != Kind::File || file.read_at(&mut header, 0)? < HEADER_LEN {
            return Ok(());
        }
        let codec = &self.volume.codec;
        let known = |iv| {
            codec
                .header_iv(header, iv)
                .is_ok_and(|file_iv| file_ivs.contains(&file_iv))
        };
        // The file IVs were recorded before any header was written: one that none of them fits
        // under the other place was not touched.
        if known(ivs.here) || !known(ivs.other) {
            return Ok(());
        }
        let right = codec.rewrap_header(header, ivs.other, ivs.here)?;
        let kept = Kept::of(&file, &stat)?;
        file.write_at(&right, 0)?;
        kept.put_back(&file)?;
        file.sync(true)?;
        Ok(())
    }
}
