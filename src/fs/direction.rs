//! Forward or reverse: which of the two sides of the encryption is shown and which is stored.
//!
//! Forward, what the kernel sees is plain and what lies in storage is raw; in reverse mode a plain
//! tree lies in storage and its raw form is shown (format 8). All that differs between the two
//! is decided here: names, sizes, contents, link targets, the configuration file, and whether
//! anything may be changed. The rest of `fs` speaks of *shown* and *stored* only (its fields
//! `name` and `raw`), and never asks which way it goes.

use super::handles::FileHandle;
use super::open_files::OpenFile;
use super::tree::{Link, NodeId, ROOT};
use super::{EncFs, FsError};
use crate::blockio::{self, CipherView, PlainData};
use crate::nameio::{self, PlainName, RawName, is_reserved_in_root};
use crate::raw::{self, File, Name, RawId};

/// The configuration of a plain tree: not listed in its view, but to be had by name.
const CONFIG: &[u8] = b".encfs6.xml";
/// Longest name of most storage, in bytes: for what does not tell its own.
const USUAL_NAME_MAX: usize = 255;

/// Which side of the encryption is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// Raw in storage, shown plain.
    #[default]
    Forward,
    /// Plain in storage, shown raw.
    Reverse,
}

/// The directory entry of the mount point, where that lies inside the stored tree: going there
/// would lead from the mount into itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnMount {
    /// The stored directory it lies in.
    pub parent: RawId,
    /// Its stored name.
    pub name: Name,
}

/// A name as the kernel sees it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ShownName(Name);

/// A name as it lies in storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StoredName(Name);

impl ShownName {
    /// Takes `bytes` as a name.
    ///
    /// # Errors
    /// [`nameio::Error::NotAName`] if no directory entry can have it.
    pub(super) fn new(bytes: &[u8]) -> Result<Self, FsError> {
        Ok(Self(PlainName::new(bytes)?.into()))
    }

    /// The bytes of the name.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl From<PlainName> for ShownName {
    fn from(name: PlainName) -> Self {
        Self(name.into())
    }
}

impl StoredName {
    /// The name as system calls take it.
    pub(super) fn as_name(&self) -> &Name {
        &self.0
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl From<RawName> for StoredName {
    fn from(name: RawName) -> Self {
        Self(name.into())
    }
}

/// Both forms of one name, and the chain after it.
pub(super) struct BothNames {
    pub(super) shown: ShownName,
    pub(super) stored: StoredName,
    pub(super) iv: u64,
}

/// Names.
impl EncFs {
    fn is_reverse(&self) -> bool {
        self.options.direction == Direction::Reverse
    }

    /// A shown name of the directory whose IV is `dir_iv`.
    ///
    /// # Errors
    /// In reverse mode [`nameio::Error::Undecodable`] for a name that nothing is shown by.
    pub(super) fn by_shown(&self, shown: &[u8], dir_iv: u64) -> Result<BothNames, FsError> {
        let names = &self.volume.names;
        if self.is_reverse() {
            let shown = ShownName::new(shown)?;
            let (plain, iv) = names
                .decode(shown.as_bytes(), dir_iv)
                .map_err(|_| nameio::Error::Undecodable)?;
            let stored = StoredName(plain.into());
            return Ok(BothNames { shown, stored, iv });
        }
        let plain = PlainName::new(shown)?;
        let (raw, iv) = names.encode(&plain, dir_iv)?;
        Ok(BothNames {
            shown: plain.into(),
            stored: raw.into(),
            iv,
        })
    }

    /// A name from the storage's listing of the directory whose IV is `dir_iv`. `None`: nothing
    /// is shown of it.
    pub(super) fn by_stored(&self, stored: Box<[u8]>, dir_iv: u64) -> Option<BothNames> {
        let names = &self.volume.names;
        if self.is_temporary(&stored) {
            return None;
        }
        if self.is_reverse() {
            let plain = PlainName::new(stored).ok()?;
            let (raw, iv) = names.encode(&plain, dir_iv).ok()?;
            return Some(BothNames {
                shown: ShownName(raw.into()),
                stored: StoredName(plain.into()),
                iv,
            });
        }
        let Ok((plain, iv)) = names.decode(&stored, dir_iv) else {
            tracing::debug!("{} does not decode", stored.escape_ascii());
            return None;
        };
        Some(BothNames {
            shown: plain.into(),
            stored: RawName::new(stored).ok()?.into(),
            iv,
        })
    }

    /// A stored name as it may stand in the log: never plain.
    pub(super) fn log_name(&self, stored: &Name) -> Option<Name> {
        if !self.is_reverse() {
            return Some(stored.clone());
        }
        let plain = PlainName::new(stored.as_bytes()).ok()?;
        let (raw, _) = self.volume.names.encode(&plain, 0).ok()?;
        Some(raw.into())
    }

    /// An error of the storage, which names a stored name, as it may be logged.
    pub(super) fn loggable(&self, mut error: raw::Error) -> FsError {
        if self.is_reverse()
            && let Some(stored) = error.name.take()
        {
            error.name = self.log_name(&stored);
        }
        error.into()
    }

    /// Whether a stored name is that of the configuration: left out of the listing of `parent`,
    /// to be had by name as in EncFS, and not to be changed. Under null naming any user could
    /// otherwise write, encrypted, over what opens the volume.
    pub(super) fn is_config(&self, parent: NodeId, stored: &[u8]) -> bool {
        parent == ROOT
            && match self.options.direction {
                Direction::Forward => is_reserved_in_root(stored),
                Direction::Reverse => stored == CONFIG,
            }
    }

    /// Whether a stored name is that of a temporary raw file: never to be seen.
    pub(super) fn is_temporary(&self, stored: &[u8]) -> bool {
        !self.is_reverse() && raw::replace::is_temporary(stored)
    }

    /// Whether this is the entry behind which the mount itself is.
    pub(super) fn is_own_mount(&self, link: &Link) -> bool {
        let Some(own) = &self.options.own_mount else {
            return false;
        };
        *link.raw.as_name() == own.name
            && self.tree.with(link.parent, |node| node.raw_id) == Some(own.parent)
    }

    /// Longest shown name in bytes where stored ones have at most `stored_max`.
    pub(super) fn shown_name_max(&self, stored_max: usize) -> u64 {
        let names = &self.volume.names;
        if !self.is_reverse() {
            return names.max_plain_len(stored_max) as u64;
        }
        let longest = vec![b'n'; stored_max.clamp(1, USUAL_NAME_MAX)];
        let encoded = PlainName::new(longest).and_then(|plain| names.encode(&plain, 0));
        encoded.map_or(stored_max, |(raw, _)| raw.as_bytes().len()) as u64
    }

    /// The shown target of a link with the target `stored`.
    ///
    /// # Errors
    /// [`FsError::BadLinkTarget`] if it has no other form.
    pub(super) fn shown_target(&self, stored: Vec<u8>) -> Result<Vec<u8>, FsError> {
        let names = &self.volume.names;
        if !self.is_reverse() {
            return names
                .decode_link_target(&stored)
                .map_err(|_| FsError::BadLinkTarget);
        }
        match names.encode_link_target(&stored) {
            Ok(raw) => Ok(raw),
            // Under null naming the plain target is the raw one, though it will not come back
            // as what it was (6.7).
            Err(_) if stored.first() == Some(&b'+') => Ok(stored),
            Err(_) => Err(FsError::BadLinkTarget),
        }
    }

    /// The target that storage gets for a link that is shown with the target `shown`.
    ///
    /// # Errors
    /// If there is no such target.
    pub(super) fn stored_target(&self, shown: &[u8]) -> Result<Vec<u8>, FsError> {
        let names = &self.volume.names;
        if !self.is_reverse() {
            return Ok(names.encode_link_target(shown)?);
        }
        Ok(names
            .decode_link_target(shown)
            .map_err(|_| nameio::Error::Undecodable)?)
    }
}

/// What may be changed.
impl EncFs {
    /// Whether anything may be changed. Forward, the kernel knows that a mount is read-only; of a
    /// view only we do. There EncFS refuses even to sync a file.
    ///
    /// # Errors
    /// [`FsError::ReadOnly`].
    pub(super) fn check_writable(&self) -> Result<(), FsError> {
        if self.is_reverse() && self.options.read_only {
            return Err(FsError::ReadOnly);
        }
        Ok(())
    }

    /// That an entry may be changed, removed or replaced.
    ///
    /// # Errors
    /// [`FsError::ReadOnly`]; [`FsError::Reserved`] for the configuration, which is needed to open
    /// the volume or the view.
    pub(super) fn check_changeable(&self, parent: NodeId, stored: &[u8]) -> Result<(), FsError> {
        self.check_writable()?;
        if self.is_config(parent, stored) {
            return Err(FsError::Reserved);
        }
        Ok(())
    }

    /// The same for a node.
    ///
    /// # Errors
    /// As [`check_changeable`](Self::check_changeable).
    pub(super) fn check_node_changeable(&self, id: NodeId) -> Result<(), FsError> {
        self.check_writable()?;
        let is_config = self.tree.with(id, |node| {
            let mut links = node.links.iter();
            links.any(|link| self.is_config(link.parent, link.raw.as_bytes()))
        });
        if is_config == Some(true) {
            return Err(FsError::Reserved);
        }
        Ok(())
    }
}

/// Sizes and contents.
impl EncFs {
    /// The shown size of a regular file of `stored` bytes.
    ///
    /// # Errors
    /// If no file can have it.
    pub(super) fn shown_size(&self, stored: u64) -> Result<u64, FsError> {
        let layout = self.volume.codec.layout();
        if self.is_reverse() {
            return Ok(layout.raw_size(stored).ok_or(blockio::Error::TooLarge)?);
        }
        let size = layout.plain_size(stored);
        let size = size.ok_or(blockio::Error::CutHeader { raw_len: stored })?;
        Ok(size.bytes)
    }

    /// The view of a file, in reverse mode. Its inode number is that of storage, whatever number
    /// the node has.
    fn view<'a>(&'a self, open: &OpenFile, file: &'a File) -> Option<CipherView<'a, File>> {
        if !self.is_reverse() {
            return None;
        }
        let inode = self.tree.with(open.node, |node| node.raw_id.ino);
        Some(CipherView::new(
            &self.volume.codec,
            file,
            inode.unwrap_or_default(),
        ))
    }

    /// Reads in reverse mode; `None` in forward mode, where the caller reads.
    pub(super) fn read_view(
        &self,
        handle: &FileHandle,
        at: u64,
        len: usize,
    ) -> Option<Result<PlainData, FsError>> {
        let file = handle.raw.file();
        let view = self.view(&handle.open, &file)?;
        let _shared = handle.open.content.read();
        Some(view.read_at(at, len).map_err(FsError::from))
    }

    /// Writes in reverse mode; `None` in forward mode.
    pub(super) fn write_view(
        &self,
        handle: &FileHandle,
        at: u64,
        data: &[u8],
    ) -> Option<Result<(), FsError>> {
        let file = handle.raw.file();
        let view = self.view(&handle.open, &file)?;
        let _alone = handle.open.content.write();
        Some(view.write_at(at, data).map_err(FsError::from))
    }

    /// Cuts or extends in reverse mode; `None` in forward mode.
    pub(super) fn resize_view(
        &self,
        open: &OpenFile,
        file: &File,
        len: u64,
    ) -> Option<Result<(), FsError>> {
        let view = self.view(open, file)?;
        let _alone = open.content.write();
        Some(view.set_len(len).map_err(FsError::from))
    }

    /// Looks for data or a hole in reverse mode, where all is data; `None` in forward mode.
    pub(super) fn seek_view(
        &self,
        handle: &FileHandle,
        at: u64,
        hole: bool,
    ) -> Option<Result<u64, FsError>> {
        if !self.is_reverse() {
            return None;
        }
        let sought = || {
            let len = self.shown_size(handle.raw.file().stat()?.size)?;
            if at >= len {
                return Err(super::symlink::raw_error(raw::Op::Seek, raw::Errno::NXIO));
            }
            Ok(if hole { len } else { at })
        };
        Some(sought())
    }

    /// Whether space can be reserved and holes be punched.
    ///
    /// # Errors
    /// [`FsError::NotSupported`] in reverse mode, as in EncFS.
    pub(super) fn check_reservable(&self) -> Result<(), FsError> {
        if self.is_reverse() {
            return Err(FsError::NotSupported);
        }
        Ok(())
    }
}
