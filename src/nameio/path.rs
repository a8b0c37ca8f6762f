//! Whole paths, and targets of symbolic links (format 6.6, 6.7).

use super::{Error, NameCoding, PlainName, ROOT_IV};

/// Begins the raw target of a link with an absolute target.
const ABSOLUTE: u8 = b'+';

impl NameCoding {
    /// The raw path of a plain path below the root, and the IV after its last component.
    ///
    /// Slashes in front are dropped, all others are kept; `.` and `..` are copied. The IV is
    /// that of the names in that directory, or the external IV of that file.
    ///
    /// # Errors
    /// [`Error::NotAName`] if a component has a NUL.
    pub fn encode_path(&self, plain: &[u8]) -> Result<(Vec<u8>, u64), Error> {
        walk(plain, |name, iv| {
            let name = PlainName::new(name)?;
            let (raw, iv) = self.encode(&name, iv)?;
            Ok((raw.as_bytes().to_vec(), iv))
        })
    }

    /// The plain path of a raw path below the root, and the IV after its last component;
    /// see [`NameCoding::encode_path`].
    ///
    /// # Errors
    /// [`Error::Undecodable`] or [`Error::NotAName`] if a component is no raw name in its place.
    pub fn decode_path(&self, raw: &[u8]) -> Result<(Vec<u8>, u64), Error> {
        walk(raw, |name, iv| {
            let (plain, iv) = self.decode(name, iv)?;
            Ok((plain.as_bytes().to_vec(), iv))
        })
    }

    /// The raw target of a link to `plain`, wherever the link lies.
    ///
    /// # Errors
    /// [`Error::Inexpressible`] if this encoding has no form for the target: `/` alone with
    /// stream encoding; a leading `+` with null encoding; the empty target.
    /// [`Error::NotAName`] if it has a NUL.
    pub fn encode_link_target(&self, plain: &[u8]) -> Result<Vec<u8>, Error> {
        if plain.contains(&0) {
            return Err(Error::NotAName);
        }
        match plain.split_first() {
            None => Err(Error::Inexpressible),
            // The rest is one name, slashes and all, and begins no chain.
            Some((b'/', rest)) => {
                let (name, _) = self.encode_bytes(rest, None)?;
                Ok([&[ABSOLUTE], name.as_slice()].concat())
            }
            // It would come back as an absolute target.
            Some((&ABSOLUTE, _)) if self.is_null() => Err(Error::Inexpressible),
            Some(_) => Ok(self.encode_path(plain)?.0),
        }
    }

    /// The plain target of a link with the raw target `raw`.
    ///
    /// # Errors
    /// [`Error::Undecodable`] if no plain target has this raw one; [`Error::NotAName`] if it
    /// holds what cannot be in a link target. Reading such a link fails with EIO.
    pub fn decode_link_target(&self, raw: &[u8]) -> Result<Vec<u8>, Error> {
        let plain = match raw.split_first() {
            Some((&ABSOLUTE, name)) => {
                let (rest, _) = self.decode_bytes(name, None)?;
                [b"/", rest.as_slice()].concat()
            }
            // Raw targets never begin with a slash: encoding puts a plus sign in its place.
            None | Some((b'/', _)) => return Err(Error::Undecodable),
            Some(_) => self.decode_path(raw)?.0,
        };
        if plain.contains(&0) {
            return Err(Error::NotAName);
        }
        Ok(plain)
    }
}

/// Walks a path: `code` turns each name, with the IV of its directory, into another and the IV
/// of what has that name.
fn walk(
    path: &[u8],
    mut code: impl FnMut(&[u8], u64) -> Result<(Vec<u8>, u64), Error>,
) -> Result<(Vec<u8>, u64), Error> {
    let mut coded = Vec::new();
    let mut iv = ROOT_IV;
    for (i, name) in path.split(|&byte| byte == b'/').enumerate() {
        if i > 0 && !coded.is_empty() {
            coded.push(b'/');
        }
        match name {
            b"" => {}
            b"." | b".." => coded.extend_from_slice(name),
            _ => {
                let (other, next) = code(name, iv)?;
                coded.extend_from_slice(&other);
                iv = next;
            }
        }
    }
    Ok((coded, iv))
}
