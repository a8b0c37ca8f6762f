//! File contents: plain to raw and back (format 7).
//!
//! | file | what it holds |
//! |---|---|
//! | `layout` | offsets and sizes, pure arithmetic (7.1, 7.5) |
//! | `header` | the per-file IV header (7.2) |
//! | `codec` | runs of blocks in place: cipher layer, MAC layer, holes (7.3, 7.4, 7.6) |
//! | `state` | what is known of one file: raw length, file IV, the tail |
//! | `content` | plain reads and writes over any [`BytesAt`](crate::raw::BytesAt) (7.7) |
//! | `resize` | growing and shrinking (7.6) |
//! | `holes` | punching holes, finding data |
//! | `cipher_view` | the encrypted view of a plain file, for reverse mode (8) |
//! | `sequential` | a whole file from front to back |
//! | `scratch` | buffers of requests, zeroised |
//!
//! Nothing here knows a directory, a path or FUSE. **Locking is stated by borrows**: reading
//! takes `&ContentState`, changing takes `&mut ContentState`; the lock lies with the caller.

mod cipher_view;
mod codec;
mod content;
mod error;
mod header;
mod holes;
mod layout;
mod resize;
mod scratch;
mod sequential;
mod state;
#[cfg(test)]
mod tests;

pub use cipher_view::CipherView;
pub use codec::{BlockCodec, ContentSettings};
pub use content::{Content, PlainData};
pub use error::Error;
pub use header::HEADER_LEN;
pub use layout::{BlockLayout, PlainSize, SizeState};
pub use resize::Put;
pub use sequential::Reader;
pub use state::{ContentState, Kept};
