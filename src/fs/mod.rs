//! The filesystem by inode, without FUSE.
