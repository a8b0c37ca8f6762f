//! A volume made here, filled through the codec, and read back by path.

use std::fs;

use super::tests::{Scratch, password, quick_settings};
use super::walk::{Visit, VolumeDir, walk};
use super::*;
use crate::blockio::{Content, ContentState};
use crate::config::NewVolume;
use crate::nameio::PlainName;
use crate::raw::Kind;

fn volume(scratch: &Scratch, settings: &NewVolume) -> Volume {
    let word = password("tree");
    let made = create(&scratch.0, settings, &word).unwrap();
    let root = raw::Dir::open_root(&scratch.0).unwrap();
    unlock(root, &made.config, &word, &UnlockOptions::default()).unwrap()
}

fn name(text: &str) -> PlainName {
    PlainName::new(text.as_bytes()).unwrap()
}

fn put(dir: &VolumeDir<'_>, file: &str, data: &[u8]) {
    let (raw, iv) = dir.names().encode(&name(file)).unwrap();
    let volume = dir.volume();
    let file = dir.dir().create_file(raw.as_name(), 0o600).unwrap();
    let mut state = ContentState::new(0, volume.external_iv(iv));
    let content = Content::new(&volume.codec, &file);
    if !data.is_empty() {
        content.write_at(&mut state, 0, data).unwrap();
    }
}

fn make_dir<'v>(dir: &VolumeDir<'v>, sub: &str) -> VolumeDir<'v> {
    let (raw, _) = dir.names().encode(&name(sub)).unwrap();
    dir.dir().make_dir(raw.as_name(), 0o700).unwrap();
    dir.open(&dir.lookup(name(sub)).unwrap()).unwrap()
}

fn link(dir: &VolumeDir<'_>, link: &str, target: &str) {
    let (raw, _) = dir.names().encode(&name(link)).unwrap();
    let target = dir.volume().names.encode_link_target(target.as_bytes());
    dir.dir().symlink(&target.unwrap(), raw.as_name()).unwrap();
}

fn contents(volume: &Volume, path: &str) -> Result<Vec<u8>, AccessError> {
    let file = read::open(volume, path.as_bytes())?;
    let mut reader = file.reader()?;
    let mut all = Vec::new();
    while reader.read(&mut all)? > 0 {}
    Ok(all)
}

fn big() -> Vec<u8> {
    (0..3_000_000_u32).map(|i| i.to_le_bytes()[1]).collect()
}

/// `one`, `deep/er/two`, and links.
fn fill(volume: &Volume) {
    let root = VolumeDir::root(volume);
    put(&root, "one", b"first");
    put(&root, "empty", b"");
    let deep = make_dir(&root, "deep");
    let er = make_dir(&deep, "er");
    put(&er, "two", &big());
    link(&root, "to-one", "one");
    link(&er, "to-one", "../.././to-one");
    link(&root, "to-er", "deep/er/");
    link(&root, "loop", "loop");
    link(&root, "absolute", "/etc/passwd");
    link(&root, "outside", "../x");
}

fn settings() -> [NewVolume; 4] {
    let block = quick_settings();
    let paranoid = NewVolume {
        external_iv: true,
        mac_bytes: 8,
        ..block.clone()
    };
    let unchained = NewVolume {
        chained_name_iv: false,
        ..block.clone()
    };
    let null = NewVolume {
        naming: crate::config::Interface::new("nameio/null", 1, 0),
        ..paranoid.clone()
    };
    [block, paranoid, unchained, null]
}

#[test]
fn files_are_read_by_plain_and_by_raw_path() {
    for settings in settings() {
        let scratch = Scratch::new("read");
        let volume = volume(&scratch, &settings);
        fill(&volume);
        assert_eq!(contents(&volume, "one").unwrap(), b"first");
        assert_eq!(contents(&volume, "/empty").unwrap(), b"");
        for path in ["deep/er/two", "//deep/./er/two", "deep/../deep/er/two"] {
            assert!(contents(&volume, path).unwrap() == big(), "{path}");
        }
        let (raw, _) = volume.names.encode_path(b"deep/er/two").unwrap();
        let raw = String::from_utf8(raw).unwrap();
        assert!(contents(&volume, &raw).unwrap() == big(), "{raw}");
    }
}

#[test]
fn links_are_followed_inside_the_volume_only() {
    for settings in settings() {
        let scratch = Scratch::new("links");
        let volume = volume(&scratch, &settings);
        fill(&volume);
        for path in ["to-one", "to-er/to-one", "deep/er/to-one"] {
            assert_eq!(contents(&volume, path).unwrap(), b"first", "{path}");
        }
        assert!(matches!(
            contents(&volume, "loop"),
            Err(AccessError::TooManyLinks)
        ));
        for path in ["absolute", "outside", ".."] {
            let result = contents(&volume, path);
            assert!(matches!(result, Err(AccessError::OutsideVolume)), "{path}");
        }
    }
}

#[test]
fn what_is_no_file_is_told() {
    let scratch = Scratch::new("no-file");
    let volume = volume(&scratch, &quick_settings());
    fill(&volume);
    for path in ["deep", "deep/er/..", "", "to-er"] {
        let result = contents(&volume, path);
        let refused = matches!(result, Err(AccessError::NotAFile(Kind::Dir)));
        assert!(refused, "{path:?}");
    }
    let missing = |path| match contents(&volume, path) {
        Err(AccessError::Raw(error)) => error.errno,
        other => panic!("{path}: {:?}", other.map(|c| c.len())),
    };
    assert_eq!(missing("no"), raw::Errno::NOENT);
    assert_eq!(missing("deep/no"), raw::Errno::NOENT);
    assert_eq!(missing("one/two"), raw::Errno::NOTDIR);
}

#[test]
fn a_walk_shows_everything_and_names_the_cruft() {
    for settings in settings() {
        let scratch = Scratch::new("walk");
        let volume = volume(&scratch, &settings);
        fill(&volume);
        let null = settings.naming.name == "nameio/null";
        if !null {
            fs::write(scratch.0.join("not a name"), b"").unwrap();
        }
        let mut seen = Vec::new();
        let mut cruft = Vec::new();
        walk(&volume, &mut |visit| match visit {
            Visit::Dir(dir, listing) => {
                for entry in &listing.entries {
                    let dir = String::from_utf8_lossy(dir.plain_path()).into_owned();
                    let name = String::from_utf8_lossy(entry.plain.as_bytes()).into_owned();
                    seen.push((dir, name, entry.kind));
                }
                cruft.extend(listing.undecodable.iter().cloned());
            }
            Visit::Unreadable { error, .. } => panic!("{error}"),
        });
        seen.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        let expected = [
            ("", "absolute", Kind::Symlink),
            ("", "deep", Kind::Dir),
            ("", "empty", Kind::File),
            ("", "loop", Kind::Symlink),
            ("", "one", Kind::File),
            ("", "outside", Kind::Symlink),
            ("", "to-er", Kind::Symlink),
            ("", "to-one", Kind::Symlink),
            ("deep", "er", Kind::Dir),
            ("deep/er", "to-one", Kind::Symlink),
            ("deep/er", "two", Kind::File),
        ];
        let expected = expected.map(|(d, n, k)| (d.to_owned(), n.to_owned(), k));
        assert_eq!(seen, expected);
        let named: Vec<&[u8]> = if null { vec![] } else { vec![b"not a name"] };
        assert_eq!(cruft.iter().map(|c| &**c).collect::<Vec<_>>(), named);
    }
}

#[test]
fn configuration_files_are_no_names() {
    let scratch = Scratch::new("reserved");
    let [.., null] = settings();
    let volume = volume(&scratch, &null);
    fs::write(scratch.0.join(".encfs5"), b"").unwrap();
    let root = VolumeDir::root(&volume);
    assert_eq!(root.list().unwrap(), walk::Listing::default());
    for file in [".encfs6.xml", ".encfs5"] {
        assert!(root.lookup(name(file)).is_err(), "{file}");
    }
    // below the root they are names like others
    let sub = make_dir(&root, "sub");
    put(&sub, ".encfs5", b"mine");
    assert_eq!(contents(&volume, "sub/.encfs5").unwrap(), b"mine");
}

#[test]
fn an_unreadable_directory_does_not_end_the_walk() {
    let scratch = Scratch::new("unreadable");
    let volume = volume(&scratch, &quick_settings());
    let root = VolumeDir::root(&volume);
    for dir in ["a", "b"] {
        put(&make_dir(&root, dir), "file", b"x");
    }
    let mut files = 0;
    let mut unreadable = 0;
    walk(&volume, &mut |visit| match visit {
        Visit::Dir(dir, listing) if dir.plain_path().is_empty() => {
            // gone before the walk gets there
            let first = &listing.entries[0];
            let path = scratch.0.join(first.raw.as_name().as_os_str());
            fs::remove_dir_all(path).unwrap();
        }
        Visit::Dir(_, listing) => files += listing.entries.len(),
        Visit::Unreadable { error, .. } => {
            assert_eq!(error.errno, raw::Errno::NOENT);
            unreadable += 1;
        }
    });
    assert_eq!((files, unreadable), (1, 1));
}
