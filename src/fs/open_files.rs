//! What all handles of one raw file share.
//!
//! Keyed by node: nodes already are one per raw file wherever the storage's inode numbers can be
//! trusted, and one per name where they cannot.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32};

use parking_lot::{Mutex, RwLock};

use super::recent::Change;
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
    /// What of our changes storage may not show yet.
    pub(super) change: Mutex<Change>,
    /// Storage may show older contents: to be looked at before they are used.
    pub(super) unsettled: AtomicBool,
    /// The file was changed through none of its handles, and no flush has followed yet.
    pub(super) dirty: AtomicBool,
    /// What the handles have open; the writable ones first.
    files: Mutex<Vec<Arc<Opened>>>,
}

/// What one handle has open. The raw file behind it is exchanged where storage cannot cut one:
/// whoever reads or changes contents asks for it while the content lock is held.
pub(super) struct Opened {
    raw: Mutex<Arc<File>>,
    writable: bool,
}

impl Opened {
    pub(super) fn new(raw: File, writable: bool) -> Arc<Self> {
        Arc::new(Self {
            raw: Mutex::new(Arc::new(raw)),
            writable,
        })
    }

    /// The raw file as it is now.
    pub(super) fn file(&self) -> Arc<File> {
        Arc::clone(&self.raw.lock())
    }
}

/// The open files.
#[derive(Default)]
pub(super) struct OpenFiles(Mutex<HashMap<NodeId, Arc<OpenFile>>>);

impl OpenFiles {
    /// The state of `node` if it is open.
    pub(super) fn get(&self, node: NodeId) -> Option<Arc<OpenFile>> {
        self.0.lock().get(&node).cloned()
    }

    /// Adds what a handle has open to the state of `node`, which is `state` if it was
    /// not open.
    pub(super) fn add(
        &self,
        node: NodeId,
        opened: &Arc<Opened>,
        mode: u32,
        state: ContentState,
        change: Change,
    ) -> Arc<OpenFile> {
        let mut table = self.0.lock();
        let open = table.entry(node).or_insert_with(|| {
            Arc::new(OpenFile {
                node,
                content: RwLock::new(state),
                suspect: AtomicBool::new(false),
                mode: AtomicU32::new(mode),
                no_capabilities: AtomicBool::new(false),
                change: Mutex::new(change),
                unsettled: AtomicBool::new(false),
                dirty: AtomicBool::new(false),
                files: Mutex::new(Vec::new()),
            })
        });
        let open = Arc::clone(open);
        let mut files = open.files.lock();
        let at = if opened.writable { 0 } else { files.len() };
        files.insert(at, Arc::clone(opened));
        drop(files);
        open
    }

    /// Takes what a handle had open away; the state goes with the last one.
    pub(super) fn remove(&self, open: &Arc<OpenFile>, opened: &Arc<Opened>) {
        let mut table = self.0.lock();
        let mut files = open.files.lock();
        files.retain(|other| !Arc::ptr_eq(other, opened));
        if files.is_empty() {
            table.remove(&open.node);
        }
    }
}

impl OpenFile {
    /// A raw file of any handle, a writable one if there is one.
    pub(super) fn any_file(&self) -> Option<Arc<File>> {
        let files = self.files.lock();
        files.first().map(|opened| opened.file())
    }

    /// What some handle has open for writing.
    pub(super) fn writable(&self) -> Option<Arc<Opened>> {
        let files = self.files.lock();
        files.first().filter(|opened| opened.writable).cloned()
    }

    /// Handles that can write.
    pub(super) fn writers(&self) -> usize {
        let files = self.files.lock();
        files.iter().filter(|opened| opened.writable).count()
    }

    /// All handles have `file` open from now on, which holds the same. The caller holds the content
    /// exclusively.
    pub(super) fn exchange(&self, file: File) {
        let file = Arc::new(file);
        for opened in &*self.files.lock() {
            *opened.raw.lock() = Arc::clone(&file);
        }
    }
}
