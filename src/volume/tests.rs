use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::config_file::{find_with, parse, serialize};
use super::*;
use crate::config::{Generation, Interface, NewVolume, VolumeConfig, v4, v5};
use crate::secret::Password;

/// A directory of its own for one test, removed at the end.
pub(super) struct Scratch(pub(super) PathBuf);

impl Scratch {
    pub(super) fn new(test: &str) -> Self {
        let name = format!("encfs-rs-volume-{}-{test}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn put(&self, name: &str, fixture: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, config_bytes(fixture)).unwrap();
        path
    }

    fn find(&self) -> Result<Option<ConfigFile>, Error> {
        find_with(&self.0, None, &|_| None)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/configs")
}

fn config_bytes(file: &str) -> Vec<u8> {
    fs::read(fixtures().join(file)).unwrap()
}

pub(super) fn password(text: &str) -> Password {
    Password::new(text.as_bytes().to_vec())
}

/// File name and password of each configuration in `fixtures/configs`.
fn all_configs() -> Vec<(String, String)> {
    let text = fs::read_to_string(fixtures().join("passwords.json")).unwrap();
    let list: serde_json::Value = serde_json::from_str(&text).unwrap();
    let text = |v: &serde_json::Value| v.as_str().unwrap().to_owned();
    list.as_array()
        .unwrap()
        .iter()
        .map(|v| (text(&v["file"]), text(&v["password"])))
        .collect()
}

fn generation_of(file: &str) -> Generation {
    match file.rsplit('.').next() {
        Some("encfs4") => Generation::V4,
        Some("encfs5") => Generation::V5,
        _ => Generation::V6,
    }
}

pub(super) fn quick_settings() -> NewVolume {
    NewVolume {
        cipher: Interface::new("ssl/aes", 3, 0),
        key_bits: 192,
        block_size: 1024,
        naming: Interface::new("nameio/block", 4, 0),
        plain_data: false,
        unique_iv: true,
        chained_name_iv: true,
        external_iv: false,
        mac_bytes: 0,
        rand_bytes: 0,
        allow_holes: true,
        // the measurement of iterations ends at once
        kdf_duration_ms: 0,
    }
}

#[test]
fn every_volume_opens_with_its_password_and_no_other() {
    let configs = all_configs();
    assert_eq!(configs.len(), 32);
    for (file, word) in configs {
        let config = parse(&config_bytes(&file), generation_of(&file)).unwrap();
        volume_key(&config, &password(&word), true).unwrap_or_else(|e| panic!("{file}: {e}"));
        let wrong = volume_key(&config, &password("wrong"), true).err();
        // nothing is wrapped there, so nothing can be checked
        let null = config.cipher.name == "nullCipher";
        assert_eq!(wrong, (!null).then_some(Error::WrongPassword), "{file}");
        assert!(volume_key(&config, &password("wrong"), false).is_ok());
        let empty = volume_key(&config, &password(""), true).err();
        assert_eq!(empty, Some(Error::EmptyPassword), "{file}");
    }
}

#[test]
fn the_configuration_is_looked_for_in_order() {
    let scratch = Scratch::new("order");
    assert_eq!(scratch.find(), Ok(None));
    scratch.put(".encfs4", "v4.encfs4");
    let generation = || scratch.find().unwrap().unwrap().generation;
    assert_eq!(generation(), Generation::V4);
    scratch.put(".encfs5", "v5-2007.encfs5");
    assert_eq!(generation(), Generation::V5);
    let six = scratch.put(".encfs6.xml", "standard.encfs6.xml");
    assert_eq!(generation(), Generation::V6);
    assert_eq!(scratch.find().unwrap().unwrap().path, six);

    // the first that is there is the one, whatever it is
    fs::write(&six, b"rubbish").unwrap();
    assert!(matches!(scratch.find(), Err(Error::Damaged { path, .. }) if path == six));
    fs::remove_file(&six).unwrap();
    symlink("nowhere", &six).unwrap();
    assert!(matches!(scratch.find(), Err(Error::Storage { path, .. }) if path == six));
}

#[test]
fn options_and_variables_name_another_file() {
    let scratch = Scratch::new("variables");
    let here = |name: &str| scratch.0.join(name);
    scratch.put(".encfs6.xml", "standard.encfs6.xml");
    scratch.put("six", "paranoia.encfs6.xml");
    scratch.put("five", "v5-2007.encfs5");
    let with = |explicit: Option<&str>, six: Option<&str>, five: Option<&str>| {
        let value = |v: Option<&str>| v.map(|v| OsString::from(here(v)));
        let variable = |name: &str| match name {
            "ENCFS6_CONFIG" => value(six),
            "ENCFS5_CONFIG" => value(five),
            _ => None,
        };
        let explicit = explicit.map(here);
        let found = find_with(&scratch.0, explicit.as_deref(), &variable);
        found.map(|f| f.unwrap().path)
    };
    assert_eq!(with(None, Some("six"), Some("five")), Ok(here("six")));
    assert_eq!(with(None, None, Some("five")), Ok(here(".encfs6.xml")));
    assert_eq!(with(Some("five"), Some("six"), None), Ok(here("five")));
    let missing = |name: &str, named_by| {
        Err(Error::NoSuchFile {
            path: here(name),
            named_by,
        })
    };
    assert_eq!(
        with(Some("no"), Some("six"), None),
        missing("no", "--config")
    );
    assert_eq!(with(None, Some("no"), None), missing("no", "ENCFS6_CONFIG"));
    fs::remove_file(here(".encfs6.xml")).unwrap();
    assert_eq!(with(None, None, Some("five")), Ok(here("five")));
    assert_eq!(with(None, None, Some("no")), missing("no", "ENCFS5_CONFIG"));
    // an empty variable counts as set
    let empty = find_with(&scratch.0, None, &|_| Some(OsString::new()));
    assert!(matches!(empty, Err(Error::NoSuchFile { .. })));
}

#[test]
fn contents_tell_the_form_where_the_name_does_not() {
    let scratch = Scratch::new("sniff");
    for (fixture, generation) in [
        ("v4.encfs4", Generation::V4),
        ("v5-2007.encfs5", Generation::V5),
        ("encfs-1.4.2.encfs5", Generation::V5),
        ("standard.encfs6.xml", Generation::V6),
    ] {
        let path = scratch.put("config", fixture);
        let found = find_with(&scratch.0, Some(&path), &|_| None).unwrap();
        assert_eq!(found.unwrap().generation, generation, "{fixture}");
    }
    let mut bytes = b"\xef\xbb\xbf \n".to_vec();
    bytes.extend(config_bytes("standard.encfs6.xml").split_off(38));
    assert!(parse(&bytes, Generation::V5).is_ok());
}

#[test]
fn older_volumes_are_named_as_such() {
    for name in [".encfs3", ".encfs2", ".encfs"] {
        let scratch = Scratch::new("prehistoric");
        fs::write(scratch.0.join(name), b"anything").unwrap();
        assert!(matches!(scratch.find(), Err(Error::Prehistoric { .. })));
        let made = create(&scratch.0, &quick_settings(), &password("pw"));
        assert!(matches!(made, Err(Error::AlreadyAVolume { .. })));
    }
}

#[test]
fn volumes_of_another_line_are_named_as_such() {
    for name in [".encfs7", ".encfs.txt"] {
        let scratch = Scratch::new("foreign");
        fs::write(scratch.0.join(name), b"creator: \"EncFS 2.0\"\n").unwrap();
        assert!(matches!(scratch.find(), Err(Error::Foreign { .. })));
        let made = create(&scratch.0, &quick_settings(), &password("pw"));
        assert!(matches!(made, Err(Error::AlreadyAVolume { .. })));
        // a configuration that we read comes first
        scratch.put(".encfs5", "v5-2007.encfs5");
        assert!(scratch.find().unwrap().is_some());
    }
}

#[test]
fn a_configuration_without_the_dot_comes_last() {
    let scratch = Scratch::new("dotless");
    let path = scratch.put("encfs6.xml", "standard.encfs6.xml");
    let found = scratch.find().unwrap().unwrap();
    assert_eq!(found.path, path);
    assert_eq!(found.generation, Generation::V6);
    let made = create(&scratch.0, &quick_settings(), &password("pw"));
    assert!(matches!(made, Err(Error::AlreadyAVolume { .. })));
    scratch.put(".encfs4", "v4.encfs4");
    assert_eq!(scratch.find().unwrap().unwrap().generation, Generation::V4);
}

#[test]
fn damaged_and_unsupported_are_told_apart() {
    let scratch = Scratch::new("kinds");
    let path = scratch.put(".encfs6.xml", "standard.encfs6.xml");
    let text = fs::read_to_string(&path).unwrap();
    for (from, to, damaged) in [
        ("ssl/aes", "ssl/des", false),
        ("nameio/block", "nameio/unknown", false),
        ("<version>20100713", "<version>20000101", false),
        ("<encodedKeySize>44", "<encodedKeySize>43", true),
        ("<blockSize>1024", "<blockSize>1000", true),
        ("</keySize>", "", true),
    ] {
        let changed = text.replace(from, to);
        assert_ne!(changed, text, "{from}");
        fs::write(&path, changed).unwrap();
        match scratch.find() {
            Err(Error::Damaged { .. }) => assert!(damaged, "{from}"),
            Err(Error::Unsupported { .. }) => assert!(!damaged, "{from}"),
            other => panic!("{from}: {other:?}"),
        }
    }
    fs::write(&path, vec![b' '; 2 << 20]).unwrap();
    assert!(matches!(scratch.find(), Err(Error::Damaged { .. })));
}

#[test]
fn a_configuration_can_come_through_a_fifo() {
    let scratch = Scratch::new("fifo");
    let path = scratch.0.join("fifo");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let writer = std::thread::spawn({
        let path = path.clone();
        move || fs::write(path, config_bytes("standard.encfs6.xml")).unwrap()
    });
    let found = find_with(&scratch.0, Some(&path), &|_| None)
        .unwrap()
        .unwrap();
    writer.join().unwrap();
    assert_eq!(found.generation, Generation::V6);
}

#[test]
fn a_new_volume_opens_and_is_never_overwritten() {
    let scratch = Scratch::new("create");
    let made = create(&scratch.0, &quick_settings(), &password("new")).unwrap();
    assert_eq!(scratch.find(), Ok(Some(made.clone())));
    assert_eq!(made.config.salt.len(), 20);
    assert_eq!(made.config.creator, NewVolume::CREATOR);
    assert!(volume_key(&made.config, &password("new"), true).is_ok());
    let wrong = volume_key(&made.config, &password("New"), true).err();
    assert_eq!(wrong, Some(Error::WrongPassword));

    let before = fs::read(&made.path).unwrap();
    let again = create(&scratch.0, &quick_settings(), &password("other"));
    assert!(matches!(again, Err(Error::AlreadyAVolume { .. })));
    assert_eq!(fs::read(&made.path).unwrap(), before);
}

#[test]
fn refused_creations_leave_nothing() {
    let scratch = Scratch::new("refused");
    let empty = create(&scratch.0, &quick_settings(), &password(""));
    assert_eq!(empty, Err(Error::EmptyPassword));
    let absurd = NewVolume {
        block_size: 1000,
        ..quick_settings()
    };
    let refused = create(&scratch.0, &absurd, &password("pw"));
    assert!(matches!(refused, Err(Error::Settings(_))));
    assert_eq!(fs::read_dir(&scratch.0).unwrap().count(), 0);
}

/// Sets the aim of the key derivation to 0 ms, so that the measurement is short.
fn quick(file: &str) -> Vec<u8> {
    let bytes = config_bytes(file);
    if generation_of(file) != Generation::V6 {
        return bytes;
    }
    let text = String::from_utf8(bytes).unwrap();
    let start = "<desiredKDFDuration>";
    let text = match text.split_once(start) {
        Some((before, after)) => {
            let rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
            format!("{before}{start}0{rest}")
        }
        None => text,
    };
    text.into_bytes()
}

#[test]
fn a_new_password_changes_the_wrapping_and_nothing_else() {
    for (file, word) in all_configs() {
        let scratch = Scratch::new("passwd");
        let name = format!(".{}", file.split_once(".encfs").unwrap().1);
        let path = scratch.0.join(format!(".encfs{}", &name[1..]));
        fs::write(&path, quick(&file)).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let old = scratch.find().unwrap().unwrap();
        let key = volume_key(&old.config, &password(&word), true).unwrap();

        let changed = passwd::change(&old, &password(&word), &password("next")).unwrap();
        let new = scratch.find().unwrap().unwrap();
        assert_eq!(new, changed, "{file}");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o640, "{file}");
        let new_key = volume_key(&new.config, &password("next"), true).unwrap();
        assert!(new_key.same_as(&key), "{file}");
        if new.config.cipher.name != "nullCipher" {
            let refused = volume_key(&new.config, &password(&word), true).err();
            assert_eq!(refused, Some(Error::WrongPassword), "{file}");
        }

        // put the four changed values back, and all is as it was
        let mut expected = (*old.config).clone();
        if new.generation == Generation::V6 {
            expected.sub_version = 20_100_713;
            let len = if old.config.salt.is_empty() {
                20
            } else {
                old.config.salt.len()
            };
            assert_eq!(new.config.salt.len(), len, "{file}");
            assert_ne!(new.config.salt, old.config.salt, "{file}");
        } else {
            assert!(new.config.salt.is_empty(), "{file}");
        }
        expected.salt.clone_from(&new.config.salt);
        expected.kdf_iterations = new.config.kdf_iterations;
        expected.key_data.clone_from(&new.config.key_data);
        assert_eq!(*new.config, expected, "{file}");
    }
}

#[test]
fn a_wrong_or_empty_password_leaves_the_file_alone() {
    let scratch = Scratch::new("passwd-wrong");
    let made = create(&scratch.0, &quick_settings(), &password("old")).unwrap();
    let before = fs::read(&made.path).unwrap();
    let wrong = passwd::change(&made, &password("no"), &password("new"));
    assert_eq!(wrong, Err(Error::WrongPassword));
    let empty = passwd::change(&made, &password("old"), &password(""));
    assert_eq!(empty, Err(Error::EmptyPassword));
    assert_eq!(fs::read(&made.path).unwrap(), before);
}

#[test]
fn saving_keeps_the_generation() {
    for (file, _) in all_configs() {
        let generation = generation_of(&file);
        let config: VolumeConfig = parse(&config_bytes(&file), generation).unwrap();
        let bytes = serialize(&config);
        let again = match generation {
            Generation::V6 => crate::config_xml::read(&bytes),
            Generation::V5 => v5::read(&bytes),
            Generation::V4 => v4::read(&bytes),
        };
        assert_eq!(again, Ok(config), "{file}");
    }
}

/// `config` refuses what `nameio` cannot serve, without knowing it.
#[test]
fn the_checks_agree_with_what_the_name_encodings_serve() {
    use crate::config::limits::naming_majors;
    use crate::nameio::NameInterface;
    for interface in NameInterface::OFFERED {
        let majors = naming_majors(interface.interface_name()).unwrap();
        for major in 0..=9 {
            assert_eq!(majors.contains(&major), interface.serves(major));
        }
    }
    assert_eq!(naming_majors("nameio/other"), None);
}
