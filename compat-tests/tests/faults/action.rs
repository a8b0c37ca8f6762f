//! What is done to a volume while its storage misbehaves, and what may be found afterwards.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;

use anyhow::Result;
use compat_tests::ops::bytes;
use rustix::io::Errno;

use super::expect::{Content, Model, errno_of};

/// Bytes of the file that most actions change.
const LEN: usize = 59_000;
/// Files of the actions that make many.
pub(super) const MANY: usize = 60;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// 100 bytes in the middle of a file.
    Patch,
    /// The same, and `fsync`.
    PatchSync,
    /// 50 bytes behind the end.
    Append,
    /// 100 000 bytes behind the end, in pieces.
    AppendMuch,
    /// `O_TRUNC`, then 20 000 other bytes.
    Rewrite,
    /// The same, and `fsync`.
    RewriteSync,
    /// A new file of 20 000 bytes.
    New,
    /// The same, and `fsync`.
    NewSync,
    /// A new file of 100 000 bytes, in pieces.
    NewMuch,
    /// To the middle of a block.
    Truncate,
    /// Longer.
    Grow,
    /// To another name.
    Move,
    /// Over another file.
    MoveOver,
    /// A directory with four files.
    MoveDir,
    /// 60 new files.
    Many,
    /// 60 new files, each written under another name, synced and renamed.
    ManySafely,
}

/// What an action was told.
pub(super) struct Told {
    /// Nothing when all was acknowledged; otherwise the first error.
    pub(super) errno: Option<Errno>,
    /// Of the actions that make many files: how many were acknowledged.
    pub(super) acked: usize,
    /// What may be found afterwards, on storage that keeps what it acknowledged.
    pub(super) models: Vec<Model>,
}

fn old_a() -> Vec<u8> {
    bytes(1, LEN)
}

/// What every case begins with.
pub(super) fn fill(at: &Path) -> Result<()> {
    fs::create_dir(at.join("d"))?;
    for (path, content) in start() {
        if let Content::Exactly(bytes) = content {
            fs::write(at.join(path), bytes)?;
        }
    }
    Ok(())
}

fn start() -> Model {
    let mut model = Model::new();
    model.insert("a.bin".into(), Content::Exactly(old_a()));
    model.insert("b.bin".into(), Content::Exactly(bytes(2, 7000)));
    for n in 0..4 {
        let content = bytes(10 + n, 4000 + 1000 * usize::try_from(n).unwrap_or(0));
        model.insert(format!("d/f{n}"), Content::Exactly(content));
    }
    model
}

fn with(path: &str, content: Content) -> Model {
    let mut model = start();
    model.insert(path.into(), content);
    model
}

fn moved(from: &str, to: &str) -> Model {
    let kept = start().into_iter().filter(|(path, _)| path != to);
    let renamed = kept.map(|(path, content)| match path.strip_prefix(from) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => (format!("{to}{rest}"), content),
        _ => (path, content),
    });
    renamed.collect()
}

/// Closes and tells the error, which dropping would not.
fn close(file: File) -> std::io::Result<()> {
    Ok(nix::unistd::close(file)?)
}

/// Opens, writes in pieces, syncs if so wanted, closes. Nothing is left out after an error but
/// the closing.
fn write(
    options: &OpenOptions,
    path: &Path,
    at: Option<u64>,
    pieces: &[&[u8]],
    sync: bool,
) -> std::io::Result<()> {
    let mut file = options.open(path)?;
    let mut result = Ok(());
    for piece in pieces {
        result = match at {
            Some(at) => file.write_all_at(piece, at),
            None => file.write_all(piece),
        };
        if result.is_err() {
            break;
        }
    }
    if sync && result.is_ok() {
        result = file.sync_all();
    }
    let closed = close(file);
    result.and(closed)
}

impl Action {
    /// Does it below `at`.
    pub(super) fn perform(self, at: &Path) -> Told {
        let (mut change, mut append, mut rewrite, mut create) = (
            OpenOptions::new(),
            OpenOptions::new(),
            OpenOptions::new(),
            OpenOptions::new(),
        );
        change.write(true);
        append.append(true);
        rewrite.write(true).truncate(true);
        create.write(true).create_new(true);
        let (a, new) = (at.join("a.bin"), at.join("new"));
        let much = bytes(5, 100_000);
        let much_pieces: Vec<&[u8]> = much.chunks(10_000).collect();
        let less = bytes(6, 20_000);
        let (result, done, undone) = match self {
            Self::Patch | Self::PatchSync => {
                let patch = bytes(7, 100);
                let sync = self == Self::PatchSync;
                let mut patched = old_a();
                patched.splice(30_000..30_100, patch.iter().copied());
                let result = write(&change, &a, Some(30_000), &[&patch], sync);
                let either = Content::Either(patched.clone(), old_a());
                let done = with("a.bin", Content::Exactly(patched));
                (result, done, vec![with("a.bin", either)])
            }
            Self::Append | Self::AppendMuch => {
                let (added, pieces) = match self {
                    Self::Append => (&much[..50], vec![&much[..50]]),
                    _ => (&much[..], much_pieces),
                };
                let longer = [&old_a(), added].concat();
                let result = write(&append, &a, None, &pieces, false);
                let part = Content::Begins(longer.clone(), LEN);
                let done = with("a.bin", Content::Exactly(longer));
                (result, done, vec![with("a.bin", part)])
            }
            Self::Rewrite | Self::RewriteSync => {
                let sync = self == Self::RewriteSync;
                let result = write(&rewrite, &a, None, &[&less], sync);
                let part = with("a.bin", Content::Begins(less.clone(), 0));
                (
                    result,
                    with("a.bin", Content::Exactly(less)),
                    vec![start(), part],
                )
            }
            Self::New | Self::NewSync | Self::NewMuch => {
                let (content, pieces) = match self {
                    Self::NewMuch => (much.clone(), much_pieces),
                    _ => (less.clone(), vec![&less[..]]),
                };
                let result = write(&create, &new, None, &pieces, self == Self::NewSync);
                let part = with("new", Content::Perhaps(content.clone()));
                (result, with("new", Content::Exactly(content)), vec![part])
            }
            Self::Truncate | Self::Grow => {
                let len = if self == Self::Truncate {
                    30_100
                } else {
                    70_300
                };
                let mut cut = old_a();
                cut.resize(len, 0);
                let result = change.open(&a).and_then(|file| {
                    let cut = file.set_len(u64::try_from(len).unwrap_or(0));
                    cut.and(close(file))
                });
                (result, with("a.bin", Content::Exactly(cut)), vec![start()])
            }
            Self::Move => {
                let result = fs::rename(&a, at.join("z"));
                (result, moved("a.bin", "z"), vec![start()])
            }
            Self::MoveOver => {
                let result = fs::rename(&a, at.join("b.bin"));
                (result, moved("a.bin", "b.bin"), vec![start()])
            }
            Self::MoveDir => {
                let result = fs::rename(at.join("d"), at.join("e"));
                (result, moved("d", "e"), vec![start()])
            }
            Self::Many | Self::ManySafely => return self.many(at),
        };
        match result {
            Ok(()) => Told {
                errno: None,
                acked: 1,
                models: vec![done],
            },
            Err(error) => Told {
                errno: Some(errno_of(&error)),
                acked: 0,
                models: undone.into_iter().chain([done]).collect(),
            },
        }
    }

    fn many(self, at: &Path) -> Told {
        let mut create = OpenOptions::new();
        create.write(true).create_new(true);
        let mut told = Told {
            errno: None,
            acked: 0,
            models: Vec::new(),
        };
        let mut model = start();
        for n in 0..MANY {
            let content = bytes(100 + n as u64, 500 + 97 * n);
            let (name, temporary) = (format!("n{n}"), format!("n{n}.new"));
            let result = if self == Self::ManySafely {
                write(&create, &at.join(&temporary), None, &[&content], true)
                    .and_then(|()| fs::rename(at.join(&temporary), at.join(&name)))
            } else {
                write(&create, &at.join(&name), None, &[&content], false)
            };
            let content = match result {
                Ok(()) => {
                    told.acked += 1;
                    Content::Exactly(content)
                }
                Err(error) => {
                    told.errno = told.errno.or(Some(errno_of(&error)));
                    let part = Content::Perhaps(content);
                    if self == Self::ManySafely {
                        model.insert(temporary, part.clone());
                    }
                    part
                }
            };
            model.insert(name, content);
        }
        told.models = vec![model];
        told
    }

    /// Whether a power cut leaves what was acknowledged.
    pub(super) fn is_synced(self) -> bool {
        matches!(
            self,
            Self::PatchSync | Self::RewriteSync | Self::NewSync | Self::ManySafely
        )
    }

    /// What may be found as well when the power is cut and nothing of it was synced.
    pub(super) fn unsynced() -> Model {
        start()
    }

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Patch | Self::PatchSync => "patch",
            Self::Append => "append",
            Self::AppendMuch => "append of 100000",
            Self::Rewrite | Self::RewriteSync => "rewrite",
            Self::New | Self::NewSync => "new file",
            Self::NewMuch => "new file of 100000",
            Self::Truncate => "truncate",
            Self::Grow => "growing truncate",
            Self::Move => "mv",
            Self::MoveOver => "mv-over",
            Self::MoveDir => "mv-dir",
            Self::Many => "60 files",
            Self::ManySafely => "60 files synced and renamed",
        }
    }
}
