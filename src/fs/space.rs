//! Holes, reservation of space, copying between files.

use std::sync::atomic::Ordering;

use super::{EncFs, FsError, HandleId};

/// Plain bytes copied per step.
const COPY_STEP: usize = 1024 * 1024;
/// Plain bytes copied per call at most: the caller asks again, and can be interrupted.
const COPY_CALL: u64 = 64 * 1024 * 1024;

/// What to do with a range of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reserve {
    /// Reserve space; the file grows to cover the range.
    Grow,
    /// Reserve space; the size stays.
    KeepSize,
    /// Give space back: zeros, the size stays.
    PunchHole,
    /// Zeros; the file grows to cover the range.
    Zero,
    /// Zeros; the size stays.
    ZeroKeepSize,
}

impl EncFs {
    /// Reserves or gives back space. `drop_set_ids`: as for [`write`](Self::write).
    ///
    /// # Errors
    /// `EOPNOTSUPP` where the storage cannot; what the storage answered.
    pub fn fallocate(
        &self,
        handle: HandleId,
        what: Reserve,
        at: u64,
        len: u64,
        drop_set_ids: bool,
    ) -> Result<(), FsError> {
        self.check_reservable()?;
        let handle = self.handles.file(handle)?;
        if !handle.writable {
            return Err(FsError::NotWritable);
        }
        let open = &handle.open;
        self.wait_until_shown(open)?;
        let mut state = open.content.write();
        let file = handle.raw.file();
        self.refresh(open, &file, &mut state)?;
        handle.dirty.store(true, Ordering::Relaxed);
        let content = self.content(&file);
        let done = match what {
            Reserve::Grow | Reserve::KeepSize => {
                content.reserve(&mut state, at, len, what == Reserve::Grow)
            }
            Reserve::PunchHole | Reserve::ZeroKeepSize => content.zero(&mut state, at, len),
            Reserve::Zero => {
                let end = at.checked_add(len).ok_or(FsError::Invalid)?;
                let size = state.plain_len(&self.volume.codec)?;
                let zeroed = content.zero(&mut state, at, len);
                match zeroed {
                    Ok(()) if end > size => content.set_len(&mut state, end),
                    done => done,
                }
            }
        };
        self.note_change(open, &state);
        done?;
        drop(state);
        if drop_set_ids {
            self.drop_set_ids_of(&handle)?;
        }
        Ok(())
    }

    /// The first position from `at` on that holds data, or with `hole` that is in a hole.
    ///
    /// # Errors
    /// `ENXIO`; what the storage answered.
    pub fn lseek(&self, handle: HandleId, at: u64, hole: bool) -> Result<u64, FsError> {
        let handle = self.handles.file(handle)?;
        if let Some(found) = self.seek_view(&handle, at, hole) {
            return found;
        }
        let open = &handle.open;
        if open.suspect.load(Ordering::Relaxed) || open.content.read().is_stale() {
            let mut content = open.content.write();
            self.refresh(open, &handle.raw.file(), &mut content)?;
        }
        let state = open.content.read();
        Ok(self.content(&handle.raw.file()).seek(&state, at, hole)?)
    }

    /// Copies up to `len` plain bytes between two handles; the result is how many were copied.
    /// The raw bytes differ, as each file has its own IV: this spares the caller's copies only.
    /// `drop_set_ids`: as for [`write`](Self::write).
    ///
    /// # Errors
    /// Only if nothing could be copied.
    pub fn copy_range(
        &self,
        (from, from_at): (HandleId, u64),
        (to, to_at): (HandleId, u64),
        len: u64,
        drop_set_ids: bool,
    ) -> Result<u64, FsError> {
        let (from, to) = (self.handles.file(from)?, self.handles.file(to)?);
        let len = len.min(COPY_CALL);
        let mut done = 0;
        while done < len {
            let step = usize::try_from(len - done).map_or(COPY_STEP, |left| left.min(COPY_STEP));
            let copied = self
                .read_from(&from, from_at + done, step)
                .and_then(|data| {
                    self.write_to(&to, to_at + done, &data)?;
                    Ok(data.len() as u64)
                });
            match copied {
                Ok(0) => break,
                Ok(n) => done += n,
                Err(error) if done == 0 => return Err(error),
                Err(_) => break,
            }
        }
        if drop_set_ids && done > 0 {
            self.drop_set_ids_of(&to)?;
        }
        Ok(done)
    }
}
