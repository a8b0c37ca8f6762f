//! `gen-docs OUTDIR`: the man pages and completions, as they lie below a prefix.

use anyhow::{Context, Result};

fn main() -> Result<()> {
    let folder = std::env::args_os()
        .nth(1)
        .context("usage: gen-docs OUTDIR")?;
    compat_tests::docs::write(folder.as_ref())
}
