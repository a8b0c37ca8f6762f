//! The configuration of a volume, whatever file it came from (format 2).
//!
//! [`VolumeConfig`] is the only way to hold a configuration, and it can only be made from values that pass
//! the checks of format 2.2 ([`limits`]): nothing above asks again whether the block size or the key length
//! makes sense. It keeps what saving must not lose: the creator, the sub-version, `allowHoles` of EncFS 1.4.2,
//! and elements of `.encfs6.xml` that we do not know.
//!
//! Here are the values and the two binary forms ([`v5`], [`v4`]); the XML form is in `config_xml`. Nothing in
//! this module touches a file: `volume::config_file` finds, loads and saves.
//!
//! Three kinds of refusal are kept apart up to the user ([`Error`]): the file is *damaged* (where, what), it is
//! *unsupported* (who wrote it, what can be done), or it can be read but holds a *value* that no volume can
//! have.

mod cursor;
mod error;
mod fields;
pub mod limits;
mod map;
mod new_volume;
pub mod v4;
pub mod v5;

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod vectors;

pub use error::{Error, Fault, InterfaceKind, Place};
pub use fields::{
    ConfigFields, Extra, Generation, Interface, SUB_VERSION_V6, SUB_VERSION_V6_SALT, VolumeConfig,
};
pub use map::sniff;
pub use new_volume::NewVolume;
