//! Generation 6 of the configuration: `.encfs6.xml` (format 2.3).
//!
//! [`read`] takes every form that a release of EncFS ever wrote; [`write`] writes, byte for byte, what EncFS
//! 1.9.5 writes. Elements that we do not know are carried along, so that saving loses nothing.
//!
//! The text comes from outside: it is bounded in size and depth, may declare no entities of its own, and
//! errors tell the line.

mod read;
mod tree;
mod write;

#[cfg(test)]
mod tests;

pub use read::read;
pub use write::write;
