//! Cryptonite (Android): one line for everything, with empty words for options not chosen.

use anyhow::Result;
use compat_tests::client::{Home, with_each};
use compat_tests::oracle::Program;

#[test]
fn its_line() -> Result<()> {
    with_each(|program| {
        let home = Home::with_volume(program)?;
        home.sh("mv \"$RAW/.encfs6.xml\" conf.xml", "")?.success()?;
        home.sh(
            "encfs --config=\"$DIR/conf.xml\" --public --no-default-flags --stdinpass \
             \"$RAW\" \"$MNT\"",
            &home.line(),
        )?
        .success()?;
        home.shows_files()?;
        assert_eq!(home.table()?.1, "fuse.encfs");
        home.unmount()?;

        // Any key opens; what does not decode is left out.
        home.sh(
            "encfs --config=\"$DIR/conf.xml\" --public --no-default-flags --anykey --stdinpass \
             \"$RAW\" \"$MNT\"",
            "another key\n",
        )?
        .success()?;
        let seen = home.sh("ls -A \"$MNT\"", "")?.success()?.out();
        assert_eq!(seen, "");
        home.unmount()
    })
}

/// It builds the line for a program of its own, so words for options not chosen may be empty: they are
/// overlooked. (EncFS 1.9.5 takes an empty word for the root of the whole system, so it is not run.)
#[test]
fn empty_words_are_overlooked() -> Result<()> {
    let home = Home::with_volume(Program::EncfsRs)?;
    home.sh(
        "encfs \"\" --stdinpass \"$RAW\" \"\" \"$MNT\"",
        &home.line(),
    )?
    .success()?;
    home.shows_files()?;
    home.unmount()
}
