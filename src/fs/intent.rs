//! The record that lets a broken rename be finished or undone.
//!
//! A rename that changes names or headers below it (`rename_tree`) takes many raw steps. Before
//! the first, its two plain paths are appended to a small file in the raw root, and before a
//! header is written, the file IV in it: with these [`recover`](super::recover) can bring every
//! entry into line with the place where it is found, wherever the steps broke off. The file is
//! encrypted under the volume key; its name decodes under no name encoding, so other programs
//! skip it. It goes at unmount; until then records of finished renames stay, so that no rename
//! has to wait for its own names to be safe in storage.
//!
//! ```text
//! file    = record*                       a torn record at the end was never acted on
//! record  = seed (8) | length (4, BE) | stream_encode(payload | MAC_64 (8, BE), seed)
//! payload = 0 | exchange (1) | length of old (4, BE) | old plain path | new plain path
//!         | 1 | file IV (8, BE) *
//! ```
//! The MAC is chained with the seed.

use parking_lot::Mutex;

use super::{EncFs, FsError};
use crate::crypto::{VolumeCipher, random_bytes};
use crate::raw::{Access, BadName, Errno, File, Name};

/// Name of the file in the raw root.
const FILE_NAME: &[u8] = b".encfs-rs-renames";
/// Finished renames kept before the storage is asked to make all safe and the file starts anew.
const KEEP: u32 = 64;
/// Bytes read at most: a longer file was not written here.
const MAX_LEN: u64 = 256 * 1024 * 1024;
const SEED_LEN: usize = 8;
const MAC_LEN: usize = 8;

/// What is about to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Intent {
    /// A rename, from one plain path to another, or of both for each other.
    Move {
        exchange: bool,
        from: Vec<u8>,
        to: Vec<u8>,
    },
    /// Headers with these file IVs are wrapped under another external IV.
    FileIvs(Vec<u64>),
}

/// The file of intents of one mount.
#[derive(Default)]
pub(super) struct Intents(Mutex<State>);

#[derive(Default)]
struct State {
    file: Option<File>,
    end: u64,
    finished: u32,
    under_way: u32,
    /// A rename could neither be finished nor undone: the next mount needs its record.
    broken: bool,
    /// Nothing can be made in the raw root: renames go on without a record.
    impossible: bool,
}

impl EncFs {
    /// Records a rename that is about to begin, and what of it is known already;
    /// [`finish_intent`](Self::finish_intent) must follow.
    pub(super) fn begin_intent(&self, intents: &[&Intent]) -> Result<(), FsError> {
        let mut state = self.intents.0.lock();
        self.append(&mut state, intents)?;
        state.under_way += 1;
        Ok(())
    }

    /// Records the file IVs of headers that are about to be written.
    pub(super) fn note_file_ivs(&self, file_ivs: Vec<u64>) -> Result<(), FsError> {
        let mut state = self.intents.0.lock();
        self.append(&mut state, &[&Intent::FileIvs(file_ivs)])
    }

    /// A recorded rename is done or wholly undone, or (`settled` false) neither.
    pub(super) fn finish_intent(&self, settled: bool) {
        let mut state = self.intents.0.lock();
        state.under_way = state.under_way.saturating_sub(1);
        state.finished += 1;
        state.broken |= !settled;
        if state.finished >= KEEP && state.under_way == 0 && !state.broken {
            // Should this fail the records stay, and do no harm.
            if self.volume.root.sync_storage().is_ok()
                && state
                    .file
                    .as_ref()
                    .is_some_and(|file| file.set_len(0).is_ok())
            {
                state.end = 0;
                state.finished = 0;
            }
        }
    }

    /// A step could neither be done nor undone: no record goes before the next mount has settled
    /// it.
    pub(super) fn keep_intents(&self) {
        self.intents.0.lock().broken = true;
    }

    /// At unmount: with nothing left to recover the file goes.
    pub(super) fn close_intents(&self) {
        let mut state = self.intents.0.lock();
        if state.under_way > 0 || state.broken {
            return;
        }
        if state.file.take().is_some()
            && self.volume.root.sync_storage().is_ok()
            && let Ok(name) = file_name()
            && let Err(error) = self.volume.root.unlink(&name)
        {
            tracing::warn!("{error}");
        }
    }

    /// The intents that an earlier mount left, with their file, locked.
    pub(super) fn left_intents(&self) -> Result<Option<(File, Vec<Intent>)>, FsError> {
        let name = file_name().map_err(|_| FsError::Internal)?;
        let file = match self.volume.root.open_file(&name, Access::ReadWrite) {
            Err(error) if error.errno == Errno::NOENT => return Ok(None),
            Err(error) if matches!(error.errno, Errno::ACCESS | Errno::PERM | Errno::ROFS) => {
                // Nothing can be settled here; what is whole can be read.
                tracing::warn!("a rename that broke off cannot be settled: {error}");
                return Ok(None);
            }
            file => file?,
        };
        let stat = file.stat()?;
        if stat.kind != crate::raw::Kind::File || stat.size > MAX_LEN {
            tracing::warn!("{name} was not written by this program: left alone");
            return Ok(None);
        }
        if !file.try_lock()? {
            tracing::warn!("{name} is in use by another mount of this volume: left alone");
            return Ok(None);
        }
        let mut bytes = vec![0; usize::try_from(stat.size).unwrap_or(0)];
        let len = file.read_at(&mut bytes, 0)?;
        bytes.truncate(len);
        let intents = read_all(&self.volume.cipher, &bytes);
        Ok(Some((file, intents)))
    }

    /// Everything left is settled: the file goes.
    pub(super) fn forget_left_intents(&self) -> Result<(), FsError> {
        let name = file_name().map_err(|_| FsError::Internal)?;
        self.volume.root.sync_storage()?;
        Ok(self.volume.root.unlink(&name)?)
    }

    /// What is left could not be settled: new records come behind it, and none is dropped.
    pub(super) fn keep_left_intents(&self, file: File) -> Result<(), FsError> {
        let mut state = self.intents.0.lock();
        state.end = file.stat()?.size;
        state.file = Some(file);
        state.broken = true;
        Ok(())
    }

    fn append(&self, state: &mut State, intents: &[&Intent]) -> Result<(), FsError> {
        if state.impossible {
            return Ok(());
        }
        let mut records = Vec::new();
        for intent in intents {
            records.extend(seal(&self.volume.cipher, intent)?);
        }
        if state.file.is_none() {
            let name = file_name().map_err(|_| FsError::Internal)?;
            let file = match self.volume.root.create_file(&name, 0o600) {
                Err(error) if error.errno == Errno::EXIST => {
                    // Left where recovery was not possible, or another mount's.
                    let file = self.volume.root.open_file(&name, Access::ReadWrite)?;
                    state.broken = true;
                    state.end = file.stat()?.size;
                    file
                }
                Err(error) if matches!(error.errno, Errno::ACCESS | Errno::PERM | Errno::ROFS) => {
                    tracing::warn!(
                        "nothing can be made in the raw root ({error}): a rename that breaks off \
                         cannot be finished later"
                    );
                    state.impossible = true;
                    return Ok(());
                }
                file => file?,
            };
            file.try_lock()?;
            self.volume.root.sync()?;
            state.file = Some(file);
        }
        if let Some(file) = &state.file {
            file.write_at(&records, state.end)?;
            file.sync(true)?;
            state.end += records.len() as u64;
        }
        Ok(())
    }
}

fn file_name() -> Result<Name, BadName> {
    Name::new(FILE_NAME)
}

fn seal(cipher: &VolumeCipher, intent: &Intent) -> Result<Vec<u8>, FsError> {
    let mut seed = [0; SEED_LEN];
    random_bytes(&mut seed).map_err(crate::blockio::Error::from)?;
    let number = u64::from_be_bytes(seed);
    let mut body = match intent {
        Intent::Move { exchange, from, to } => {
            let len = u32::try_from(from.len()).map_err(|_| FsError::Invalid)?;
            let mut body = vec![0, u8::from(*exchange)];
            body.extend_from_slice(&len.to_be_bytes());
            body.extend_from_slice(from);
            body.extend_from_slice(to);
            body
        }
        Intent::FileIvs(ivs) => std::iter::once(1)
            .chain(ivs.iter().flat_map(|iv| iv.to_be_bytes()))
            .collect(),
    };
    let mac = cipher.mac64(&body, Some(number));
    body.extend_from_slice(&mac.to_be_bytes());
    cipher.encrypt_stream(&mut body, number);
    let len = u32::try_from(body.len()).map_err(|_| FsError::Invalid)?;
    Ok([&seed[..], &len.to_be_bytes(), &body].concat())
}

/// All records up to the first that is torn or not ours.
fn read_all(cipher: &VolumeCipher, mut bytes: &[u8]) -> Vec<Intent> {
    let mut intents = Vec::new();
    while let Some((intent, rest)) = open(cipher, bytes) {
        intents.push(intent);
        bytes = rest;
    }
    intents
}

fn open<'a>(cipher: &VolumeCipher, bytes: &'a [u8]) -> Option<(Intent, &'a [u8])> {
    let (seed, rest) = bytes.split_first_chunk::<SEED_LEN>()?;
    let (len, rest) = rest.split_first_chunk::<4>()?;
    let len = usize::try_from(u32::from_be_bytes(*len)).ok()?;
    let (body, rest) = rest.split_at_checked(len)?;
    let number = u64::from_be_bytes(*seed);
    let mut body = body.to_vec();
    cipher.decrypt_stream(&mut body, number);
    let (payload, mac) = body.split_last_chunk::<MAC_LEN>()?;
    if cipher.mac64(payload, Some(number)) != u64::from_be_bytes(*mac) {
        return None;
    }
    let (kind, fields) = payload.split_first()?;
    let intent = match kind {
        0 => {
            let (exchange, fields) = fields.split_first()?;
            let (len, paths) = fields.split_first_chunk::<4>()?;
            let len = usize::try_from(u32::from_be_bytes(*len)).ok()?;
            let (from, to) = paths.split_at_checked(len)?;
            Intent::Move {
                exchange: *exchange != 0,
                from: from.to_vec(),
                to: to.to_vec(),
            }
        }
        1 => Intent::FileIvs(
            fields
                .chunks_exact(8)
                .filter_map(|iv| iv.try_into().ok().map(u64::from_be_bytes))
                .collect(),
        ),
        _ => return None,
    };
    Some((intent, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::testing::Noise;
    use crate::crypto::{CipherSuite, VolumeKey};
    use crate::secret::SecretBytes;

    fn cipher() -> VolumeCipher {
        let suite = CipherSuite::new("ssl/aes", 3, 256).unwrap();
        let key = VolumeKey::from_material(SecretBytes::new(Noise::new(3).bytes(32 + 16)));
        VolumeCipher::new(suite, &key).unwrap()
    }

    #[test]
    fn records_come_back_and_a_torn_end_is_left_out() {
        let cipher = cipher();
        let intents = vec![
            Intent::Move {
                exchange: true,
                from: b"a/b".to_vec(),
                to: b"c".to_vec(),
            },
            Intent::FileIvs(vec![1, u64::MAX]),
            Intent::Move {
                exchange: false,
                from: Vec::new(),
                to: b"\xff".to_vec(),
            },
        ];
        let mut bytes = Vec::new();
        let mut ends = vec![0];
        for intent in &intents {
            bytes.extend(seal(&cipher, intent).unwrap());
            ends.push(bytes.len());
        }
        for cut in 0..=bytes.len() {
            let whole = ends.iter().filter(|end| **end <= cut).count() - 1;
            assert_eq!(read_all(&cipher, &bytes[..cut]), intents[..whole]);
        }
        assert!(!bytes.windows(3).any(|part| part == b"a/b"));
    }

    #[test]
    fn damaged_records_are_not_acted_on() {
        let cipher = cipher();
        let record = seal(&cipher, &Intent::FileIvs(vec![7])).unwrap();
        for at in 0..record.len() {
            let mut bytes = record.clone();
            bytes[at] ^= 1;
            assert_eq!(read_all(&cipher, &bytes), [], "byte {at}");
        }
        let mut noise = Noise::new(11);
        for _ in 0..200 {
            let len = noise.below(100);
            assert_eq!(read_all(&cipher, &noise.bytes(len)), []);
        }
    }
}
