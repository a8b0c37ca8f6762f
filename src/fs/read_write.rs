//! Reading and writing by handle: no name is used, no other file waits.

use std::sync::atomic::Ordering;

use super::attr_set::without_set_ids;
use super::handles::FileHandle;
use super::recent::{Answer, LAG_STEP, LAG_TRIES};
use super::{EncFs, FsError, HandleId};
use crate::blockio::{self, Content, PlainData};
use crate::raw::File;

impl EncFs {
    /// Reads up to `len` plain bytes at `at`; fewer only at the end of the file.
    ///
    /// # Errors
    /// A block that fails its authentication; what the storage answered.
    pub fn read(&self, handle: HandleId, at: u64, len: usize) -> Result<PlainData, FsError> {
        let handle = self.handles.file(handle)?;
        self.read_from(&handle, at, len)
    }

    pub(super) fn read_from(
        &self,
        handle: &FileHandle,
        at: u64,
        len: usize,
    ) -> Result<PlainData, FsError> {
        if let Some(data) = self.read_view(handle, at, len) {
            return data;
        }
        let open = &handle.open;
        self.wait_until_shown(open)?;
        if open.suspect.load(Ordering::Relaxed) || open.content.read().is_stale() {
            let mut content = open.content.write();
            self.refresh(open, &handle.raw.file(), &mut content)?;
        }
        let mut tries = LAG_TRIES;
        loop {
            let content = open.content.read();
            // On storage that shows contents late only who writes sees what was written.
            let writer = open.writable().filter(|_| self.remote);
            let file = writer.as_ref().unwrap_or(&handle.raw).file();
            let read = self.content(&file).read_at(&content, at, len);
            let missing = matches!(read, Err(blockio::Error::Missing { .. }));
            if !missing || tries == 0 {
                return Ok(read?);
            }
            // The storage lags, or somebody else has cut the file.
            drop(content);
            let mut content = open.content.write();
            let stat = file.stat()?;
            match self.judge(open, &content, &stat) {
                Answer::Late => {
                    drop(content);
                    tries -= 1;
                    std::thread::sleep(LAG_STEP);
                    file.drop_cached(0);
                }
                _ => {
                    tries = 0;
                    content.refresh(stat.size);
                }
            }
        }
    }

    /// Writes plain bytes at `at`. `drop_set_ids`: the writer is not root, so that the file's
    /// set-ID bits go.
    ///
    /// # Errors
    /// The storage's own; nothing of `data` counts as written then.
    pub fn write(
        &self,
        handle: HandleId,
        at: u64,
        data: &[u8],
        drop_set_ids: bool,
    ) -> Result<(), FsError> {
        let handle = self.handles.file(handle)?;
        self.write_to(&handle, at, data)?;
        if drop_set_ids {
            self.drop_set_ids_of(&handle)?;
        }
        Ok(())
    }

    /// Somebody who is not root has changed the contents.
    pub(super) fn drop_set_ids_of(&self, handle: &FileHandle) -> Result<(), FsError> {
        let mode = handle.open.mode.load(Ordering::Relaxed);
        let left = without_set_ids(mode);
        if left != mode {
            handle.raw.file().set_mode(left)?;
            handle.open.mode.store(left, Ordering::Relaxed);
        }
        Ok(())
    }

    pub(super) fn write_to(
        &self,
        handle: &FileHandle,
        at: u64,
        data: &[u8],
    ) -> Result<(), FsError> {
        if !handle.writable {
            return Err(FsError::NotWritable);
        }
        if let Some(done) = self.write_view(handle, at, data) {
            handle.dirty.store(true, Ordering::Relaxed);
            return done;
        }
        let open = &handle.open;
        self.wait_until_shown(open)?;
        let mut content = open.content.write();
        let file = handle.raw.file();
        self.refresh(open, &file, &mut content)?;
        handle.dirty.store(true, Ordering::Relaxed);
        let written = self.content(&file).write_at(&mut content, at, data);
        self.note_change(open, &content);
        if matches!(written, Err(blockio::Error::Missing { .. })) {
            // Somebody else may have cut the file: the next use asks.
            open.suspect.store(true, Ordering::Relaxed);
        }
        Ok(written?)
    }

    pub(super) fn content<'a>(&'a self, file: &'a File) -> Content<'a, File> {
        Content::new(&self.volume.codec, file)
    }
}
