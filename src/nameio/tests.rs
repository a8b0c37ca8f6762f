//! Known answers for names, paths and link targets; hostile raw names.

// Lengths and noise of tests fit where they are put.
#![allow(clippy::cast_possible_truncation)]

use std::sync::Arc;

use serde_json::Value;

use super::*;
use crate::crypto::testing::{Noise, cases, cipher, hex, items, number, small};

fn coding(case: &Value) -> NameCoding {
    NameCoding::new(
        case["naming"].as_str().unwrap(),
        small(&case["naming_major"]),
        case["chained"].as_bool().unwrap(),
        Arc::new(cipher(case)),
    )
    .unwrap()
}

/// A chain as `dir_iv`: without chaining any number will do.
fn dir_iv(item: &Value) -> u64 {
    match &item["chain_in"] {
        Value::Null => 4711,
        chain => number(chain),
    }
}

fn check_names(file: &str) {
    for case in cases(file) {
        if items(&case, "items").is_empty() {
            continue;
        }
        let coding = coding(&case);
        for item in items(&case, "items") {
            let plain = PlainName::new(hex(item, "plain")).unwrap();
            let raw = hex(item, "raw");
            let iv_after = match &item["chain_out"] {
                Value::Null => 0,
                chain => number(chain),
            };
            let (encoded, iv) = coding.encode(&plain, dir_iv(item)).unwrap();
            assert_eq!(encoded.as_bytes(), raw, "{coding:?} {item}");
            assert_eq!(iv, iv_after, "{coding:?} {item}");
            let decoded = coding.decode(&raw, dir_iv(item)).unwrap();
            assert_eq!(decoded, (plain, iv_after), "{coding:?} {item}");
        }
        for reject in items(&case, "rejects") {
            let error = coding
                .decode(&hex(reject, "raw"), dir_iv(reject))
                .unwrap_err();
            let expected = match reject["level"].as_str().unwrap() {
                "codec" | "canonical" => Error::Undecodable,
                "entry" => Error::NotAName,
                level => panic!("unknown level {level}"),
            };
            assert_eq!(error, expected, "{coding:?} {reject}");
        }
        if let Some(max_plain) = case["limits"]["max_plain"].as_u64() {
            let max_plain = max_plain as usize;
            assert_eq!(coding.max_plain_len(255), max_plain, "{coding:?}");
            for (len, field) in [(max_plain, "max_raw"), (max_plain + 1, "next_raw")] {
                let name = PlainName::new(vec![b'x'; len]).unwrap();
                let (raw, _) = coding.encode(&name, 0).unwrap();
                let want = number(&case["limits"][field]) as usize;
                assert_eq!(raw.as_bytes().len(), want, "{coding:?} {len} bytes");
            }
        }
    }
}

#[test]
fn names_in_block_encoding() {
    check_names("names_block");
}

#[test]
fn names_in_block32_encoding() {
    check_names("names_block32");
}

#[test]
fn names_in_stream_encoding() {
    check_names("names_stream");
}

#[test]
fn names_as_they_are() {
    check_names("names_null");
}

#[test]
fn names_of_configuration_files_are_reserved() {
    let mut seen = 0;
    for case in cases("names_null") {
        for item in items(&case, "reserved") {
            assert!(is_reserved_in_root(&hex(item, "plain")), "{item}");
            seen += 1;
        }
    }
    assert_eq!(seen, 6);
    for name in [
        b".encfs7".as_slice(),
        b".encfs6",
        b"encfs6.xml",
        b".encfs6.xml~",
    ] {
        assert!(!is_reserved_in_root(name));
    }
}

#[test]
fn paths() {
    for case in cases("paths") {
        let coding = coding(&case);
        for item in items(&case, "items") {
            let plain = hex(item, "plain");
            let raw = hex(item, "raw");
            let iv = number(&item["path_iv"]);
            assert_eq!(coding.encode_path(&plain), Ok((raw.clone(), iv)), "{item}");
            let decoded = match &item["decoded"] {
                Value::Null => plain,
                _ => hex(item, "decoded"),
            };
            assert_eq!(coding.decode_path(&raw), Ok((decoded, iv)), "{item}");
            if case["external"] == true {
                assert_eq!(iv, number(&item["external_iv"]), "{item}");
            }
        }
    }
}

#[test]
fn headers_of_renamed_files_have_the_ivs_of_their_paths() {
    let mut seen = 0;
    for case in cases("headers") {
        if case["kind"] != "rename" {
            continue;
        }
        let coding = coding(&case);
        for item in items(&case, "items") {
            for (path, raw, iv) in [
                ("old", "old_raw", "old_external_iv"),
                ("new", "new_raw", "new_external_iv"),
            ] {
                let coded = coding.encode_path(&hex(item, path));
                assert_eq!(coded, Ok((hex(item, raw), number(&item[iv]))), "{item}");
                seen += 1;
            }
        }
    }
    assert_ne!(seen, 0);
}

#[test]
fn link_targets() {
    for case in cases("symlinks") {
        let coding = coding(&case);
        for item in items(&case, "items") {
            let plain = hex(item, "plain");
            let raw = hex(item, "raw");
            assert_eq!(coding.encode_link_target(&plain), Ok(raw.clone()), "{item}");
            assert_eq!(coding.decode_link_target(&raw), Ok(plain), "{item}");
        }
        for refuse in items(&case, "refuse") {
            assert_eq!(refuse["errno"], "EINVAL");
            let refused = coding.encode_link_target(&hex(refuse, "plain"));
            assert_eq!(refused, Err(Error::Inexpressible), "{refuse}");
        }
        for reject in items(&case, "rejects") {
            let rejected = coding.decode_link_target(&hex(reject, "raw"));
            assert_eq!(rejected, Err(Error::Undecodable), "{reject}");
        }
    }
}

#[test]
fn link_targets_that_no_encoding_gives_are_refused() {
    for coding in every_coding() {
        assert_eq!(coding.encode_link_target(b""), Err(Error::Inexpressible));
        assert_eq!(coding.encode_link_target(b"/a\0"), Err(Error::NotAName));
        assert_eq!(coding.encode_link_target(b"a\0"), Err(Error::NotAName));
        assert_eq!(coding.decode_link_target(b""), Err(Error::Undecodable));
        assert_eq!(coding.decode_link_target(b"/etc"), Err(Error::Undecodable));
    }
}

#[test]
fn interfaces_that_no_release_serves_are_refused() {
    let new = |name: &str, major| {
        let cipher = Arc::new(crate::crypto::VolumeCipher::null().unwrap());
        NameCoding::new(name, major, false, cipher)
    };
    for (name, major) in [
        ("nameio/block", 1),
        ("nameio/block", 5),
        ("nameio/block32", 1),
        ("nameio/stream", 3),
        ("nameio/null", 0),
    ] {
        let error = new(name, major).unwrap_err();
        assert!(
            matches!(error, Error::UnsupportedVersion { .. }),
            "{name} {major}"
        );
    }
    let unknown = new("nameio/rot13", 1).unwrap_err();
    assert!(matches!(unknown, Error::UnknownInterface { .. }));
    for interface in NameInterface::OFFERED {
        assert!(interface.serves(interface.current_version().0));
    }
}

#[test]
fn directories_give_the_ivs_of_paths() {
    for coding in every_coding() {
        let coding = Arc::new(coding);
        let root = DirNames::root(Arc::clone(&coding));
        let (a, a_iv) = root.encode(&PlainName::new(*b"a").unwrap()).unwrap();
        let inside = root.child(a_iv);
        let (b, b_iv) = inside.encode(&PlainName::new(*b"b").unwrap()).unwrap();
        let path = [a.as_bytes(), b"/", b.as_bytes()].concat();
        assert_eq!(coding.encode_path(b"a/b"), Ok((path, b_iv)));
        assert_eq!(inside.decode(b.as_bytes()).unwrap().1, b_iv);
        assert_eq!(coding.depends_on_path(), a_iv != ROOT_IV, "{coding:?}");
        // A name of another directory decodes only where names do not depend on it.
        let elsewhere = root.child(12345).decode(b.as_bytes()).is_ok();
        assert_eq!(elsewhere, !coding.depends_on_path(), "{coding:?}");
    }
}

/// One coding of every case of every file of names.
fn every_coding() -> Vec<NameCoding> {
    ["names_block", "names_block32", "names_stream", "names_null"]
        .into_iter()
        .flat_map(cases)
        .filter(|case| case["cipher"].is_string())
        .map(|case| coding(&case))
        .collect()
}

/// Raw names by chance and changed ones: nothing panics, and what is accepted is exactly what
/// encoding gives.
#[test]
fn whatever_is_decoded_encodes_to_the_same() {
    let mut noise = Noise::new(0x5eed);
    let mut accepted = 0;
    for coding in every_coding() {
        for round in 0..300 {
            let dir_iv = noise.next();
            let raw = hostile_name(&coding, &mut noise, dir_iv);
            let what = format!("{coding:?} round {round}: {}", raw.escape_ascii());
            match coding.decode(&raw, dir_iv) {
                Ok((plain, iv)) => {
                    accepted += 1;
                    let (again, iv_again) = coding.encode(&plain, dir_iv).unwrap();
                    assert_eq!(again.as_bytes(), raw, "{what}");
                    assert_eq!(iv_again, iv, "{what}");
                }
                Err(error) => assert!(
                    matches!(error, Error::Undecodable | Error::NotAName),
                    "{what}: {error}"
                ),
            }
            if let Ok(target) = coding.decode_link_target(&raw) {
                assert_eq!(coding.encode_link_target(&target).unwrap(), raw, "{what}");
            }
            let path = [raw.as_slice(), b"/", &raw].concat();
            if let Ok((plain, iv)) = coding.decode_path(&path) {
                // But for slashes in front, which are dropped.
                let (again, iv_again) = coding.encode_path(&plain).unwrap();
                assert!(path.ends_with(&again), "{what}");
                assert_eq!(iv_again, iv, "{what}");
            }
        }
    }
    assert!(
        accepted > 1000,
        "only {accepted} names were valid: this tests nothing"
    );
}

/// A raw name: right, slightly wrong, or anything.
fn hostile_name(coding: &NameCoding, noise: &mut Noise, dir_iv: u64) -> Vec<u8> {
    let len = 1 + noise.below(70);
    let plain: Vec<u8> = noise
        .bytes(len)
        .into_iter()
        .map(|byte| {
            if byte == 0 || byte == b'/' {
                b'_'
            } else {
                byte
            }
        })
        .collect();
    let mut raw = match PlainName::new(plain) {
        Ok(plain) => coding.encode(&plain, dir_iv).unwrap().0.as_bytes().to_vec(),
        Err(_) => b"..".to_vec(),
    };
    match noise.below(8) {
        0 => {
            let at = noise.below(raw.len());
            raw[at] ^= 1 << noise.below(8);
        }
        1 => raw.truncate(noise.below(raw.len())),
        2 => raw.push(b",A0z"[noise.below(4)]),
        3 => {
            let len = noise.below(300);
            raw = noise.bytes(len);
        }
        4 => raw.insert(0, b'+'),
        5 => {
            let at = noise.below(raw.len());
            raw.remove(at);
        }
        _ => {}
    }
    raw
}

#[test]
fn keys_are_shown_in_the_characters_of_names() {
    assert_eq!(to_base64(&[0x41, 0, 0]), "--,,");
}
