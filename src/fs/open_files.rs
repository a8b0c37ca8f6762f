//! What all handles of one raw file share.
//!
//! Keyed by node: nodes already are one per raw file wherever the storage's inode numbers can be
//! trusted, and one per name where they cannot.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32};

use parking_lot::{Mutex, RwLock};

use super::tree::NodeId;
use crate::blockio::ContentState;
use crate::raw::File;

/// State of one open raw file.
pub(super) struct OpenFile {
    pub(super) node: NodeId,
    /// Reading shares it, changing excludes. Held across raw I/O of this file alone.
    pub(super) content: RwLock<ContentState>,
    /// Storage reported another raw length than our own writes led to: ask before the next use.
    pub(super) suspect: AtomicBool,
    /// Permission bits as last seen: writes by others than root take set-ID bits away.
    pub(super) mode: AtomicU32,
    /// This mount made the file and set no file capabilities: there are none.
    pub(super) no_capabilities: AtomicBool,
    /// The raw files of all handles; the writable ones first.
    pub(super) files: Mutex<Vec<(Arc<File>, bool)>>,
}

/// The open files.
#[derive(Default)]
pub(super) struct OpenFiles(Mutex<HashMap<NodeId, Arc<OpenFile>>>);

impl OpenFiles {
    /// The state of `node` if it is open.
    pub(super) fn get(&self, node: NodeId) -> Option<Arc<OpenFile>> {
        self.0.lock().get(&node).cloned()
    }

    /// Adds a handle's raw file to the state of `node`, made by `state` if it was not open.
    pub(super) fn add(
        &self,
        node: NodeId,
        raw: &Arc<File>,
        writable: bool,
        mode: u32,
        state: impl FnOnce() -> ContentState,
    ) -> Arc<OpenFile> {
        let mut table = self.0.lock();
        let open = table.entry(node).or_insert_with(|| {
            Arc::new(OpenFile {
                node,
                content: RwLock::new(state()),
                suspect: AtomicBool::new(false),
                mode: AtomicU32::new(mode),
                no_capabilities: AtomicBool::new(false),
                files: Mutex::new(Vec::new()),
            })
        });
        let open = Arc::clone(open);
        let mut files = open.files.lock();
        let at = if writable { 0 } else { files.len() };
        files.insert(at, (Arc::clone(raw), writable));
        drop(files);
        open
    }

    /// Takes a handle's raw file away; the state goes with the last one.
    pub(super) fn remove(&self, open: &Arc<OpenFile>, raw: &Arc<File>) {
        let mut table = self.0.lock();
        let mut files = open.files.lock();
        if let Some(at) = files.iter().position(|(file, _)| Arc::ptr_eq(file, raw)) {
            files.remove(at);
        }
        if files.is_empty() {
            table.remove(&open.node);
        }
    }
}

impl OpenFile {
    /// A raw file of any handle, a writable one if there is one.
    pub(super) fn any_file(&self) -> Option<Arc<File>> {
        let files = self.files.lock();
        files.first().map(|(file, _)| Arc::clone(file))
    }

    /// A raw file that can be written.
    pub(super) fn writable_file(&self) -> Option<Arc<File>> {
        let files = self.files.lock();
        files
            .first()
            .filter(|(_, writable)| *writable)
            .map(|(file, _)| Arc::clone(file))
    }
}
