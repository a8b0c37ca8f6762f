//! A volume in a folder, and both programs called `encfsctl` in it.

use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use compat_tests::manifest::Fixture;
use compat_tests::oracle::Program;
use compat_tests::run::{Finished, run};

/// What must be the same besides the status.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Same {
    /// Standard output.
    Out,
    /// Standard output and standard error.
    Both,
    /// Which of the two says something.
    Streams,
    /// Nothing.
    Status,
}

/// A volume in a folder, and ours by the name of theirs.
pub(super) struct Scene {
    /// Removes the folder at the end.
    _folder: tempfile::TempDir,
    folder: PathBuf,
}

impl Scene {
    pub(super) fn of(volume: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().canonicalize()?;
        std::fs::create_dir(path.join("raw"))?;
        std::fs::create_dir(path.join("bin"))?;
        Fixture::named(volume)?.unpack(&path.join("raw"))?;
        // The last word of the command that starts ours is its path.
        let ours = Program::EncfsRs.encfsctl()?;
        let program = ours.get_args().next().context("no path")?;
        symlink(program, path.join("bin/encfsctl"))?;
        Ok(Self {
            _folder: folder,
            folder: path,
        })
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(super) fn command(&self, program: Program, words: &[&str]) -> Result<Command> {
        let real = program.encfsctl()?;
        let mut command = Command::new(real.get_program());
        for (name, value) in real.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        match program {
            Program::EncfsRs => command.arg(self.path("bin/encfsctl")),
            Program::Encfs195 => command.args(real.get_args()),
        };
        command
            .args(words)
            .current_dir(&self.folder)
            .env("TZ", "UTC");
        Ok(command)
    }

    pub(super) fn run(&self, program: Program, words: &[&str], input: &str) -> Result<Finished> {
        run(&mut self.command(program, words)?, input.as_bytes())
    }

    pub(super) fn ours(&self, words: &[&str], input: &str) -> Result<Finished> {
        self.run(Program::EncfsRs, words, input)
    }

    pub(super) fn theirs(&self, words: &[&str], input: &str) -> Result<Finished> {
        self.run(Program::Encfs195, words, input)
    }

    pub(super) fn compare(&self, words: &[&str], input: &str, same: Same) -> Result<Finished> {
        let (ours, theirs) = (self.ours(words, input)?, self.theirs(words, input)?);
        let equal = ours.code() == theirs.code()
            && match same {
                Same::Out => ours.stdout == theirs.stdout,
                Same::Both => ours.stdout == theirs.stdout && ours.stderr == theirs.stderr,
                Same::Streams => {
                    ours.stdout.is_empty() == theirs.stdout.is_empty()
                        && ours.stderr.is_empty() == theirs.stderr.is_empty()
                }
                Same::Status => true,
            };
        ensure!(equal, "{words:?}\nours: {ours}\ntheirs: {theirs}");
        Ok(ours)
    }
}
