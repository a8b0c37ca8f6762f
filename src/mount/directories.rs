//! The two directories, looked at before anything is asked or changed.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use rustix::io::Errno;

use crate::cli::exit::Failure;
use crate::term::Console;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Root,
    MountPoint,
}

impl Role {
    fn marker(self) -> &'static str {
        match self {
            Self::Root => "$PROMPT$ create_root_dir\n",
            Self::MountPoint => "$PROMPT$ create_mount_point\n",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Root => "encrypted files",
            Self::MountPoint => "mount point",
        }
    }
}

/// Makes sure that `path`, which ends in a slash, is a directory, if need be by asking whether
/// it should be made. `(y,N) ` at the end of the question is *protocol*.
pub(super) fn ensure(
    console: &mut Console,
    path: &Path,
    role: Role,
    annotate: bool,
) -> Result<(), Failure> {
    let shown = path.display();
    // With the slash at its end, a link to a directory counts as the directory.
    match std::fs::symlink_metadata(path) {
        Ok(status) if status.is_dir() => return Ok(()),
        Err(error) if error.raw_os_error() == Some(Errno::NOTCONN.raw_os_error()) => {
            return Err(dead_mount(path, &error));
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let text = format!("{shown} cannot be looked at: {error}");
            return Err(Failure::new("no_directory", text)
                .at_path(path)
                .with_io(&error));
        }
        _ => {}
    }
    console.complain(&format!(
        "The directory \"{shown}\" ({}) does not exist. Should it be created? (y,N) ",
        role.word()
    ));
    if annotate {
        console.complain(&format!("\n{}", role.marker()));
    }
    let answer = console.answer().map_err(|error| {
        Failure::new("input", format!("cannot read the answer: {error}")).with_io(&error)
    })?;
    let ended = answer.is_none();
    if !answer.is_some_and(|text| text.starts_with(['y', 'Y'])) {
        if ended && !annotate {
            // Nobody has typed the end of the question's line.
            console.complain("\n");
        }
        let text = format!("the directory {shown} was not created");
        return Err(Failure::new("no_directory", text).at_path(path));
    }
    DirBuilder::new().mode(0o700).create(path).map_err(|error| {
        let text = format!("the directory {shown} cannot be created: {error}");
        Failure::new("no_directory", text)
            .at_path(path)
            .with_io(&error)
    })
}

/// Makes sure that nothing is hidden by mounting at `path`, unless that was asked for.
/// `mountpoint is not empty` and `'nonempty'` are *protocol*.
pub(super) fn require_empty(path: &Path, nonempty: bool) -> Result<(), Failure> {
    if nonempty {
        return Ok(());
    }
    let shown = path.display();
    let unreadable = |error: io::Error| {
        // Its attributes may have come from the kernel's cache.
        if error.raw_os_error() == Some(Errno::NOTCONN.raw_os_error()) {
            return dead_mount(path, &error);
        }
        Failure::new("mount_point", format!("{shown} cannot be read: {error}"))
            .at_path(path)
            .with_io(&error)
    };
    let mut count = 0_u64;
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        entry.map_err(unreadable)?;
        count += 1;
    }
    if count == 0 {
        return Ok(());
    }
    let entries = if count == 1 { "entry" } else { "entries" };
    let text = format!("mountpoint is not empty: {shown} ({count} {entries})");
    Err(Failure::new("mount_point_not_empty", text).at_path(path).advise(
        "Take an empty folder, or mount over this one with the option 'nonempty' (-o nonempty):\n\
         its entries are hidden while it is mounted.",
    ))
}

fn dead_mount(path: &Path, error: &io::Error) -> Failure {
    let shown = path.display();
    Failure::new(
        "dead_mount",
        format!("{shown} is a mount whose program is gone"),
    )
    .at_path(path)
    .with_io(error)
    .advise(format!("Take it away with: encfs-rs -u {shown}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    /// A folder of this test, with a slash at its end; removed when dropped.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let name = format!("encfs-rs-directories-{}-{name}", std::process::id());
            let path = std::env::temp_dir().join(name);
            std::fs::create_dir(&path).unwrap();
            Self(path)
        }

        fn slashed(&self, name: &str) -> PathBuf {
            self.0.join(name).join("")
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn console(input: &'static str) -> Console {
        Console::of_streams(
            Box::new(input.as_bytes()),
            Box::new(io::sink()),
            Box::new(io::sink()),
        )
    }

    #[test]
    fn a_missing_directory_is_made_when_told_so() {
        let folder = Folder::new("ensure");
        for (index, (input, made)) in [
            ("y\n", true),
            ("Yes\n", true),
            ("n\n", false),
            ("\n", false),
            ("", false),
        ]
        .into_iter()
        .enumerate()
        {
            let path = folder.slashed(&index.to_string());
            let result = ensure(&mut console(input), &path, Role::Root, false);
            assert_eq!(result.is_ok(), made, "{input:?}");
            assert_eq!(path.is_dir(), made, "{input:?}");
            if made {
                let mode = std::fs::metadata(&path).unwrap().permissions().mode();
                assert_eq!(mode & 0o7777, 0o700);
            }
        }
    }

    #[test]
    fn a_link_to_a_directory_is_one_and_a_file_is_not() {
        let folder = Folder::new("kinds");
        std::fs::create_dir(folder.0.join("dir")).unwrap();
        std::os::unix::fs::symlink("dir", folder.0.join("link")).unwrap();
        std::fs::write(folder.0.join("file"), "").unwrap();
        for (name, fine) in [("dir", true), ("link", true), ("file", false)] {
            let path = folder.slashed(name);
            let result = ensure(&mut console("y\n"), &path, Role::MountPoint, false);
            assert_eq!(result.is_ok(), fine, "{name}");
        }
    }

    #[test]
    fn a_mount_point_with_entries_is_refused_in_the_words_clients_look_for() {
        let folder = Folder::new("empty");
        let path = folder.slashed("mnt");
        std::fs::create_dir(&path).unwrap();
        require_empty(&path, false).unwrap();
        std::fs::write(path.join(".directory"), "").unwrap();
        require_empty(&path, true).unwrap();
        let text = format!("{:?}", require_empty(&path, false).unwrap_err());
        assert!(text.contains("mountpoint is not empty"), "{text}");
        assert!(text.contains("'nonempty'"), "{text}");
        assert!(text.contains("(1 entry)"), "{text}");
    }
}
