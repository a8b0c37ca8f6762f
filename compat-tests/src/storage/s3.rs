//! A local S3 server, and s3fs mounts of it.
//!
//! The server is moto, a program in Python that `make test-s3` installs below the target folder.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use tempfile::TempDir;

use super::server::{Server, free_address};
use super::{Storage, folders, place};
use crate::mounted::Mounted;
use crate::oracle::{in_path, installed};
use crate::run::run;

const BUCKET: &str = "bucket";

/// A bucket, mounted by s3fs.
#[derive(Debug)]
pub struct S3 {
    // Dropped first.
    mount: Option<Mounted>,
    _server: Server,
    url: String,
    place: TempDir,
}

impl S3 {
    /// A server with an empty bucket.
    ///
    /// # Errors
    /// When it cannot be set up.
    pub fn new() -> Result<Self> {
        let place = place()?;
        let top = place.path().canonicalize()?;
        folders(&top, ["raw", "point"])?;
        let address = free_address()?;
        let mut command = Command::new(
            installed("moto/bin/moto_server")
                .context("the S3 server: `make test-s3` installs it")?,
        );
        command.args(["-H", "127.0.0.1", "-p", &address.port().to_string()]);
        let server = Server::listening(&mut command, address)?;
        let secrets = top.join("secrets");
        fs::write(&secrets, "user:password\n")?;
        fs::set_permissions(&secrets, fs::Permissions::from_mode(0o600))?;
        let url = format!("http://{address}");
        // s3fs makes no buckets; the server wants no proof of who asks.
        let mut make = Command::new(in_path("curl", "curl")?);
        make.args(["--silent", "--show-error", "--fail", "-X", "PUT"]);
        run(make.arg(format!("{url}/{BUCKET}")), b"")?.success()?;
        Ok(Self {
            mount: None,
            _server: server,
            url,
            place,
        })
    }
}

impl Storage for S3 {
    fn mount(&mut self) -> Result<()> {
        if self.mount.is_some() {
            return Ok(());
        }
        let secrets = self.place.path().join("secrets");
        let mut command = Command::new(in_path("s3fs", "s3fs")?);
        command.arg(BUCKET).arg(self.raw()).arg("-f");
        command.args(["-o", "use_path_request_style", "-o"]);
        command.arg(format!("url={}", self.url)).arg("-o");
        command.arg(format!("passwd_file={}", secrets.display()));
        self.mount = Some(Mounted::by(&mut command, &self.raw(), b"")?);
        Ok(())
    }

    fn unmount(&mut self) -> Result<()> {
        self.mount.take().map_or(Ok(()), Mounted::unmount)
    }

    fn raw(&self) -> PathBuf {
        self.place.path().join("raw")
    }

    fn folder(&self) -> &Path {
        self.place.path()
    }
}
