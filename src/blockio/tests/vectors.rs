//! Known answers: `sizes.json`, `headers.json`, `files.json`.

use std::sync::Arc;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::super::{BlockCodec, BlockLayout, CipherView, Content, ContentState, Error, SizeState};
use super::{Memory, case_settings};
use crate::crypto::testing::{cases, cipher, hex, items, number, pattern, small};

fn hex_text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Compares bytes with a field, or with its digest where the vectors give only that.
fn check(item: &Value, field: &str, bytes: &[u8]) {
    let digest = format!("{field}_sha256");
    if item[field].is_string() {
        assert_eq!(
            hex_text(bytes),
            item[field].as_str().unwrap(),
            "{field} of {item}"
        );
    } else {
        let sum: [u8; 32] = Sha256::digest(bytes).into();
        assert_eq!(
            hex_text(&sum),
            item[&digest].as_str().unwrap(),
            "{digest} of {item}"
        );
    }
}

#[test]
fn sizes_in_both_directions() {
    for case in cases("sizes") {
        let overhead = small(&case["mac_bytes"]) + small(&case["rand_bytes"]);
        let header = case["unique_iv"].as_bool().unwrap();
        let layout = BlockLayout::new(small(&case["block_size"]), overhead, header);
        for item in items(&case, "to_raw") {
            let raw = layout.raw_size(number(&item["plain"]));
            assert_eq!(raw, Some(number(&item["raw"])), "{case} {item}");
        }
        for item in items(&case, "to_plain") {
            let plain = layout.plain_size(number(&item["raw"]));
            let state = match item["state"].as_str().unwrap() {
                "ok" => SizeState::Sound,
                "no_data" => SizeState::NoData,
                "stump" => SizeState::Stump,
                "error" => {
                    assert_eq!(plain, None, "{item}");
                    continue;
                }
                other => panic!("unknown state {other}"),
            };
            let plain = plain.unwrap();
            assert_eq!(plain.bytes, number(&item["plain"]), "{item}");
            assert_eq!(plain.state, state, "{item}");
        }
    }
}

#[test]
fn headers_in_both_directions_and_renamed() {
    let mut views = 0;
    for case in cases("headers") {
        let settings = super::super::ContentSettings {
            block_size: 64,
            unique_iv: true,
            mac_bytes: 0,
            rand_bytes: 0,
            allow_holes: true,
            plain_data: false,
            force_decode: false,
        };
        let codec = BlockCodec::new(Arc::new(cipher(&case)), &settings);
        let header =
            |item: &Value, field: &str| -> [u8; 8] { hex(item, field).try_into().unwrap() };
        for item in items(&case, "items") {
            let file_iv = number(&item["file_iv"]);
            if case["kind"] == "rename" {
                let [old, new] = ["old_external_iv", "new_external_iv"].map(|f| number(&item[f]));
                let renamed = codec
                    .rewrap_header(header(item, "old_header"), old, new)
                    .unwrap();
                assert_eq!(renamed, header(item, "new_header"));
                continue;
            }
            if case["kind"] == "reverse" {
                let plain = Memory::new(b"anything");
                let view = CipherView::new(&codec, &plain, number(&item["inode"]));
                let shown = view.read_at(0, 8).unwrap();
                assert_eq!(*shown, header(item, "header"), "{item}");
                views += 1;
            }
            let external = item.get("external_iv").map_or(0, number);
            let sealed = codec.seal_header(file_iv, external);
            assert_eq!(sealed, header(item, "header"), "{item}");
            assert_eq!(codec.open_header(sealed, external).unwrap(), file_iv);
        }
        for item in items(&case, "rejects") {
            let opened = codec.open_header(header(item, "header"), number(&item["external_iv"]));
            assert!(matches!(opened, Err(Error::BadHeader)), "{item}");
        }
    }
    assert!(views > 0, "no header of reverse mode");
}

/// Everything the file holds, read in one go and in small odd pieces.
fn read_all(codec: &BlockCodec, raw: &Memory, external_iv: u64) -> Result<Vec<u8>, Error> {
    use crate::raw::BytesAt;
    let content = Content::new(codec, raw);
    let state = ContentState::new(raw.len()?, external_iv);
    let whole = content.read_at(&state, 0, 1 << 20)?.to_vec();
    let pieces = ContentState::new(raw.len()?, external_iv);
    let mut again = Vec::new();
    while again.len() < whole.len() {
        let piece = content.read_at(&pieces, again.len() as u64, 37)?;
        assert!(!piece.is_empty());
        again.extend_from_slice(&piece);
    }
    assert_eq!(whole, again);
    Ok(whole)
}

fn plain_of(item: &Value) -> Vec<u8> {
    if item["plain"].is_string() {
        return hex(item, "plain");
    }
    pattern(
        number(&item["pattern"]),
        number(&item["plain_len"]) as usize,
    )
}

fn encode_whole(codec: &BlockCodec, item: &Value, plain: &[u8]) -> Vec<u8> {
    if plain.is_empty() {
        return Vec::new();
    }
    let file_iv = number(&item["file_iv"]);
    let mut raw = if codec.has_header() {
        codec
            .seal_header(file_iv, number(&item["external_iv"]))
            .to_vec()
    } else {
        Vec::new()
    };
    let mut run = vec![0; codec.layout().run_size(plain.len() as u64) as usize];
    codec.place(&mut run, 0, plain);
    let every = item["rand_every_block"]
        .is_string()
        .then(|| hex(item, "rand_every_block"));
    let listed: Vec<u8> = items(item, "rands")
        .iter()
        .flat_map(|rand| hex(&serde_json::json!({ "rand": rand }), "rand"))
        .collect();
    let mut from = 0;
    codec
        .encode_with(file_iv, 0, &mut run, |random| {
            for byte in random.iter_mut() {
                *byte = match &every {
                    Some(every) => every[from % every.len()],
                    None => listed.get(from).copied().unwrap_or(0),
                };
                from += 1;
            }
            Ok(())
        })
        .unwrap();
    raw.extend(run);
    raw
}

#[test]
fn files_in_both_directions_damaged_and_changed() {
    let mut count = 0;
    for case in cases("files") {
        let codec = BlockCodec::new(Arc::new(cipher(&case)), &case_settings(&case));
        for item in items(&case, "items") {
            count += 1;
            match item["op"].as_str().unwrap() {
                "both" => {
                    let plain = plain_of(item);
                    if item["plain_sha256"].is_string() {
                        check(item, "plain", &plain);
                    }
                    let raw = encode_whole(&codec, item, &plain);
                    check(item, "raw", &raw);
                    let external_iv = number(&item["external_iv"]);
                    let read = read_all(&codec, &Memory::new(&raw), external_iv).unwrap();
                    assert_eq!(read, plain, "{item}");
                }
                "block" => {
                    let (file_iv, block) = (number(&item["file_iv"]), number(&item["number"]));
                    let mut run =
                        vec![0; codec.layout().run_size(hex(item, "plain").len() as u64) as usize];
                    codec.place(&mut run, 0, &hex(item, "plain"));
                    codec.encode(file_iv, block, &mut run).unwrap();
                    check(item, "raw", &run);
                    let plain = codec.decode(file_iv, block, &mut run).unwrap();
                    check(item, "plain", &run[..plain]);
                }
                "read" => damaged(&codec, item),
                "change" => changed(&codec, item),
                other => panic!("unknown op {other}"),
            }
        }
    }
    assert!(count > 800, "only {count} items");
}

fn damaged(codec: &BlockCodec, item: &Value) {
    let raw = Memory::new(&hex(item, "raw"));
    let external_iv = number(&item["external_iv"]);
    let content = Content::new(codec, &raw);
    let state = ContentState::new(raw.bytes.borrow().len() as u64, external_iv);
    let Some(blocks) = item["blocks"].as_array() else {
        // Cut or empty header: reading and writing fail, and destroy nothing.
        let mut state = ContentState::new(state.raw_len(), external_iv);
        assert!(content.read_at(&state, 0, 1).is_err(), "{item}");
        assert!(content.write_at(&mut state, 0, b"x").is_err(), "{item}");
        assert_eq!(hex_text(&raw.bytes.borrow()), item["raw"].as_str().unwrap());
        return;
    };
    let data_size = codec.layout().data_size();
    let mut all_good = true;
    for (number, block) in blocks.iter().enumerate() {
        let read = content.read_at(&state, number as u64 * data_size, data_size as usize);
        match block.as_str() {
            Some(plain) => assert_eq!(hex_text(&read.unwrap()), plain, "block {number} of {item}"),
            None => {
                all_good = false;
                assert!(
                    matches!(read, Err(Error::BlockMac { block }) if block == number as u64),
                    "block {number} of {item}"
                );
            }
        }
    }
    assert_eq!(
        content.read_at(&state, 0, 1 << 20).is_ok(),
        all_good,
        "{item}"
    );
}

fn changed(codec: &BlockCodec, item: &Value) {
    let raw = Memory::new(&hex(item, "raw_before"));
    let content = Content::new(codec, &raw);
    let before = raw.bytes.borrow().len() as u64;
    let mut state = ContentState::new(before, number(&item["external_iv"]));
    if codec.has_header() {
        // As for a handle that has read before; cutting to 0 then keeps the file IV.
        content.read_at(&state, 0, 1).unwrap();
    }
    for step in items(item, "steps") {
        match step["do"].as_str().unwrap() {
            "truncate" => content.set_len(&mut state, number(&step["size"])).unwrap(),
            "write" => content
                .write_at(&mut state, number(&step["offset"]), &hex(step, "data"))
                .unwrap(),
            other => panic!("unknown step {other}"),
        }
        assert_eq!(state.raw_len(), raw.bytes.borrow().len() as u64, "{item}");
    }
    let after = raw.bytes.borrow().clone();
    if after.is_empty() && codec.has_header() {
        // EncFS 1.9.5 leaves the header of a file cut to 0; we cut it too, and both read as empty.
        assert_eq!(hex(item, "raw_after").len(), 8, "{item}");
    } else {
        check(item, "raw_after", &after);
    }
    let plain = read_all(codec, &raw, number(&item["external_iv"])).unwrap();
    assert_eq!(
        hex_text(&plain),
        item["plain_after"].as_str().unwrap(),
        "{item}"
    );
}
