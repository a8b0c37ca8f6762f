//! An opened volume.
