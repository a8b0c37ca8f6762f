use super::vectors::{Random, cases, fields, hex, stage};
use super::*;

const V5: &str = include_str!("../../fixtures/vectors/config_v5.json");
const V4: &str = include_str!("../../fixtures/vectors/config_v4.json");

type Read = fn(&[u8]) -> Result<VolumeConfig, Error>;
type Write = fn(&VolumeConfig) -> Vec<u8>;

fn known_answers(json: &str, read: Read, write: Write) {
    let mut done = 0;
    for case in cases(json) {
        let note = case["note"].as_str().unwrap();
        if case["op"] == "integers" {
            continue;
        }
        let file = hex(&case["file"]);
        let result = read(&file);
        if let Some(expected) = case.get("values") {
            let config = result.unwrap_or_else(|e| panic!("{note}: {e}"));
            assert_eq!(*config, fields(expected), "{note}");
            assert_eq!(
                read(&write(&config)).unwrap(),
                config,
                "{note}: written and read again"
            );
        } else {
            let error = result.expect_err(note);
            assert_eq!(
                stage(&error),
                case["stage"].as_str().unwrap(),
                "{note}: {error}"
            );
            assert!(!error.to_string().is_empty());
        }
        if case["op"] == "write" {
            let config = VolumeConfig::new(fields(&case["values"])).unwrap();
            assert_eq!(write(&config), file, "{note}: bytes");
        }
        done += 1;
    }
    assert!(done >= 16);
}

#[test]
fn v5_known_answers() {
    known_answers(V5, v5::read, v5::write);
}

#[test]
fn v4_known_answers() {
    known_answers(V4, v4::read, v4::write);
}

#[test]
fn integers_both_directions() {
    let cases = cases(V5);
    let case = cases.iter().find(|c| c["op"] == "integers").unwrap();
    for item in case["integers"].as_array().unwrap() {
        let value = u32::try_from(item["value"].as_u64().unwrap()).unwrap();
        let bytes = hex(&item["bytes"]);
        assert_eq!(cursor::Cursor::new(&bytes, 0).int(), Ok(value));
        let mut out = Vec::new();
        cursor::put_int(&mut out, value);
        assert_eq!(out, bytes);
    }
}

#[test]
fn integers_end_at_2_to_the_31() {
    let too_large = Err(Error::damaged(Place::Offset(0), Fault::IntegerTooLarge));
    assert_eq!(
        cursor::Cursor::new(&[0x88, 0x80, 0x80, 0x80, 0x00], 0).int(),
        too_large
    );
    assert_eq!(cursor::Cursor::new(&[0xff; 9], 0).int(), too_large);
    assert_eq!(cursor::Cursor::new(&[0x80, 0x80, 0x05], 0).int(), Ok(5));
}

#[test]
fn damage_is_told_by_its_place() {
    // count 1, key "ab", value of 9 bytes of which 2 are there
    let file = [1, 2, b'a', b'b', 9, 1, 2];
    assert_eq!(
        v5::read(&file),
        Err(Error::damaged(
            Place::Offset(5),
            Fault::EndOfData("a string")
        ))
    );
    let missing = Error::damaged(Place::Whole, Fault::Missing("cipher"));
    assert_eq!(v4::read(&[0]), Err(missing));
}

#[test]
fn huge_files_are_refused_unread() {
    let file = vec![0x81; limits::MAX_FILE + 1];
    let expected = Error::damaged(Place::Whole, Fault::TooLarge(limits::MAX_FILE));
    assert_eq!(v5::read(&file), Err(expected));
}

#[test]
fn sniffing_tells_the_generations_apart() {
    for (json, generation) in [(V5, Generation::V5), (V4, Generation::V4)] {
        for case in cases(json) {
            if case["op"] == "write" {
                assert_eq!(sniff(&hex(&case["file"])), Some(generation));
            }
        }
    }
    assert_eq!(sniff(b"<?xml version=\"1.0\"?>"), None);
    assert_eq!(sniff(b""), None);
}

#[test]
fn mutated_files_never_panic_and_stay_consistent() {
    for (json, read, write) in [
        (V5, v5::read as Read, v5::write as Write),
        (V4, v4::read, v4::write),
    ] {
        let seed = 0x5eed_c0de;
        println!("seed {seed:#x}");
        let mut random = Random(seed);
        let mut accepted = 0;
        for case in cases(json).iter().filter(|c| c["op"] != "integers") {
            let file = hex(&case["file"]);
            for _ in 0..200 {
                let wounded = random.wound(&file);
                let _ = sniff(&wounded);
                if let Ok(config) = read(&wounded) {
                    accepted += 1;
                    assert_eq!(
                        read(&write(&config)).as_ref(),
                        Ok(&config),
                        "{wounded:02x?}"
                    );
                }
            }
        }
        assert!(accepted > 0);
    }
}

fn standard() -> ConfigFields {
    ConfigFields {
        generation: Generation::V6,
        sub_version: 20_100_713,
        creator: "test".to_owned(),
        cipher: Interface::new("ssl/aes", 3, 0),
        naming: Interface::new("nameio/block", 4, 0),
        key_bits: 192,
        block_size: 1024,
        key_data: vec![7; 44],
        salt: vec![9; 20],
        kdf_iterations: 1000,
        kdf_duration_ms: 500,
        plain_data: false,
        unique_iv: true,
        chained_name_iv: true,
        external_iv: false,
        mac_bytes: 0,
        rand_bytes: 0,
        allow_holes: true,
    }
}

/// Name of the refused value, for a change of valid settings.
fn refused(change: impl FnOnce(&mut ConfigFields)) -> String {
    let mut fields = standard();
    change(&mut fields);
    match VolumeConfig::new(fields) {
        Err(Error::InvalidValue { value, .. }) => value.to_owned(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn absurd_values_are_refused_at_the_door() {
    assert!(VolumeConfig::new(standard()).is_ok());
    assert_eq!(
        refused(|f| f.block_size = limits::MAX_BLOCK_SIZE + 16),
        "blockSize"
    );
    assert_eq!(
        refused(|f| f.kdf_iterations = limits::MAX_ITERATIONS + 1),
        "kdfIterations"
    );
    assert_eq!(refused(|f| f.salt = vec![1; 4097]), "saltLen");
    assert_eq!(refused(|f| f.rand_bytes = u32::MAX), "blockMACRandBytes");
    assert_eq!(
        refused(|f| f.kdf_duration_ms = u32::MAX),
        "desiredKDFDuration"
    );
}

#[test]
fn what_a_generation_cannot_hold_is_refused() {
    assert_eq!(refused(|f| f.generation = Generation::V5), "saltLen");
    assert_eq!(refused(|f| f.sub_version = 20_080_813), "saltLen");
    let v5 = |f: &mut ConfigFields| {
        f.generation = Generation::V5;
        f.sub_version = v5::SUB_VERSION;
        f.salt.clear();
    };
    assert_eq!(refused(v5), "allowHoles");
    let plain = |f: &mut ConfigFields| {
        v5(f);
        f.allow_holes = false;
        f.plain_data = true;
    };
    assert_eq!(refused(plain), "plainData");
    let v4 = |f: &mut ConfigFields| {
        v5(f);
        f.generation = Generation::V4;
    };
    assert_eq!(refused(v4), "nameAlg");
}

#[test]
fn a_new_key_changes_nothing_else() {
    let mut old = standard();
    old.sub_version = 20_080_813;
    old.salt.clear();
    old.kdf_iterations = 16;
    old.creator = "EncFS 1.4.2".to_owned();
    let config = VolumeConfig::new(old.clone()).unwrap();
    let new = config.with_key(vec![1; 44], vec![2; 20], 777).unwrap();
    let expected = ConfigFields {
        sub_version: 20_100_713,
        key_data: vec![1; 44],
        salt: vec![2; 20],
        kdf_iterations: 777,
        ..old
    };
    assert_eq!(*new, expected);
}
