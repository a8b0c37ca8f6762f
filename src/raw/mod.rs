//! The one place that does raw I/O.

mod name;

pub use name::{BadName, Name};
