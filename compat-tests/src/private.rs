//! Scripts in a mount namespace of their own: the system's own places (`/dev`, `/sbin`,
//! `/etc/fuse.conf`) can be changed there and nobody else sees it.
//!
//! The script is the first process of a process namespace too: what it leaves running ends with
//! it, and with the last process all mounts go.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

use crate::manifest::Fixture;
use crate::oracle::{Program, in_path};
use crate::run::{Finished, describe, run};

/// What every script may call.
const PRELUDE: &str = r#"
# /dev with nothing in it but what programs need; fuse for everybody.
own_dev() {
    mkdir "$DIR/dev"
    mount -t tmpfs none "$DIR/dev"
    cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty "$DIR/dev"
    mknod -m 666 "$DIR/dev/fuse" c 10 229
    ln -s /proc/self/fd "$DIR/dev/fd"
    mount --bind "$DIR/dev" /dev
}
# /sbin with ours added, as `make install` would.
own_sbin() {
    mkdir "$DIR/sbin"
    mount --bind /sbin "$DIR/sbin"
    mount -t tmpfs none /sbin
    ln -s "$DIR"/sbin/* /sbin/
    ln -s "$ENCFS" /sbin/encfs-rs
    ln -s encfs-rs /sbin/mount.encfs-rs
}
# As a user who is nobody special.
as_user() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
as_other() { setpriv --reuid=65533 --regid=65533 --clear-groups "$@"; }
# Source, type and flags in the mount table.
shown() { findmnt -r -n -o SOURCE,FSTYPE,OPTIONS "$1" || echo "not mounted"; }
"#;

/// A folder with a volume, for scripts.
#[derive(Debug)]
pub struct Private {
    dir: PathBuf,
    /// Removed when dropped.
    _folder: tempfile::TempDir,
}

impl Private {
    /// The folder, with the fixture `standard` in `raw`, an empty `mnt`, and the password in `pw`,
    /// all of which anybody may read.
    ///
    /// # Errors
    /// When it cannot be made, or the test does not run as root.
    pub fn new() -> Result<Self> {
        ensure!(
            rustix::process::geteuid().is_root(),
            "mount namespaces are root's: run the tests as root"
        );
        let folder = tempfile::tempdir()?;
        let dir = folder.path().canonicalize()?;
        std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(0o755))?;
        for name in ["raw", "mnt"] {
            std::fs::create_dir(dir.join(name))?;
        }
        let fixture = Fixture::named("standard")?;
        fixture.unpack(&dir.join("raw"))?;
        std::fs::write(dir.join("pw"), format!("{}\n", fixture.password()?))?;
        Ok(Self {
            dir,
            _folder: folder,
        })
    }

    /// The folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Runs `script` by `/bin/sh -eu`, in the folder, with `program` as `$ENCFS` (a path that
    /// everybody may use) and as `bin/encfs`, and the variables `DIR`, `RAW`, `MNT` and `PW`.
    ///
    /// # Errors
    /// When it cannot be started or does not end.
    pub fn run(&self, program: Program, script: &str) -> Result<Finished> {
        let encfs = program.encfs()?;
        // The program's own path; before it stands `setsid`.
        let path = encfs.get_args().next().map(PathBuf::from);
        let path = path.unwrap_or_else(|| encfs.get_program().into());
        // Where it was built is perhaps nobody else's business.
        let name = path.file_name().unwrap_or_default();
        let bin = self.dir.join("bin");
        let script = format!(
            "{PRELUDE}\nmkdir -p {bin}\ntouch {place}\nmount --bind '{path}' {place}\n\
             [ -e {bin}/encfs ] || ln -s encfs-rs {bin}/encfs\n{script}",
            bin = bin.display(),
            place = bin.join(name).display(),
            path = path.display(),
        );
        let mut command = Command::new(in_path("unshare", "util-linux")?);
        command
            .args(["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"])
            .args(["setsid", "-w", "sh", "-euc", &script])
            .current_dir(&self.dir)
            .env("LC_ALL", "C")
            .env("DIR", &self.dir)
            .env("RAW", self.dir.join("raw"))
            .env("MNT", self.dir.join("mnt"))
            .env("PW", self.dir.join("pw"))
            .env("ENCFS", bin.join(name))
            .env_remove("ENCFS6_CONFIG")
            .env_remove("ENCFS5_CONFIG");
        let mut finished = run(&mut command, b"")?;
        // The script is long, and its first line says it.
        finished.command = describe(&Command::new(name));
        Ok(finished)
    }
}
