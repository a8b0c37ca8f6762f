//! Random reads, writes and resizes against a plain vector of bytes.

use super::super::{Content, ContentState};
use super::{Memory, all_settings, codec};
use crate::crypto::testing::Noise;
use crate::raw::BytesAt;

#[test]
fn contents_behave_like_a_vector() {
    behave_like_a_vector(false);
}

#[test]
fn contents_with_held_blocks_behave_like_a_vector() {
    behave_like_a_vector(true);
}

fn behave_like_a_vector(hold: bool) {
    for (n, settings) in all_settings().into_iter().enumerate() {
        let codec = codec(&settings);
        let mut noise = Noise::new(1000 + n as u64);
        let raw = Memory::default();
        let mut state = ContentState::new_file(5).holding(hold);
        let mut model: Vec<u8> = Vec::new();
        let limit = settings.block_size as usize * 7;
        for step in 0..400 {
            let content = Content::new(&codec, &raw);
            let at = noise.below(limit);
            match noise.below(8) {
                0..4 => {
                    let len = 1 + noise.below(limit / 2);
                    let data = noise.bytes(len);
                    content.write_at(&mut state, at as u64, &data).unwrap();
                    if model.len() < at + len {
                        model.resize(at + len, 0);
                    }
                    model[at..at + len].copy_from_slice(&data);
                }
                4 => {
                    content.set_len(&mut state, at as u64).unwrap();
                    model.resize(at, 0);
                }
                5 => {
                    // Closed and opened again: nothing is remembered.
                    content.flush_held(&mut state).unwrap();
                    state = ContentState::new(raw.len().unwrap(), 5).holding(hold);
                }
                _ => {
                    let len = noise.below(limit);
                    let read = content.read_at(&state, at as u64, len).unwrap();
                    let end = model.len().min(at + len);
                    assert_eq!(
                        &*read,
                        model.get(at..end).unwrap_or_default(),
                        "step {step}"
                    );
                }
            }
            let whole = content.read_at(&state, 0, usize::MAX).unwrap();
            assert_eq!(&*whole, &model, "{settings:?}, step {step}");
            if state.is_held() {
                assert!(hold);
                assert_eq!(state.stored_len(), raw.len().unwrap(), "step {step}");
                continue;
            }
            let fresh = ContentState::new(raw.len().unwrap(), 5);
            let whole = content.read_at(&fresh, 0, usize::MAX).unwrap();
            assert_eq!(&*whole, &model, "{settings:?}, step {step}");
            assert_eq!(
                state.raw_len(),
                raw.len().unwrap(),
                "{settings:?}, step {step}"
            );
            if !model.is_empty() {
                let size = codec.layout().raw_size(model.len() as u64);
                assert_eq!(size, Some(raw.len().unwrap()), "{settings:?}, step {step}");
            }
        }
    }
}

/// One raw write per request, header included; edges read once; no read where nothing is known
/// to be missing.
#[test]
fn a_request_is_one_raw_operation() {
    for settings in all_settings() {
        let codec = codec(&settings);
        let data_size = codec.layout().data_size() as usize;
        let raw = Memory::default();
        let content = Content::new(&codec, &raw);
        let mut state = ContentState::new_file(0);
        let counts = |raw: &Memory| {
            let counts = (raw.reads.get(), raw.writes.get(), raw.cuts.get());
            raw.reset();
            counts
        };
        content
            .write_at(&mut state, 0, &vec![1; data_size * 5 + 3])
            .unwrap();
        assert_eq!(counts(&raw), (0, 1, 0), "new file, header and data");
        let end = state.plain_len(&codec).unwrap();
        content.write_at(&mut state, end, &[2; 10]).unwrap();
        assert_eq!(counts(&raw), (0, 1, 0), "append, tail known");
        content
            .write_at(&mut state, 1, &vec![3; data_size])
            .unwrap();
        assert_eq!(counts(&raw), (1, 1, 0), "both edges in neighbouring blocks");
        content
            .write_at(&mut state, 1, &vec![3; data_size * 3])
            .unwrap();
        assert_eq!(counts(&raw), (2, 1, 0), "both edges");
        content
            .write_at(&mut state, data_size as u64, &vec![4; data_size * 2])
            .unwrap();
        assert_eq!(counts(&raw), (0, 1, 0), "whole blocks");

        let reopened = ContentState::new(state.raw_len(), 0);
        content.read_at(&reopened, 0, data_size * 2).unwrap();
        assert_eq!(counts(&raw), (1, 0, 0), "first read, with the header");
        content
            .read_at(&reopened, data_size as u64 * 2, data_size * 2)
            .unwrap();
        assert_eq!(counts(&raw), (1, 0, 0), "next read");
        let reopened = ContentState::new(state.raw_len(), 0);
        content.read_at(&reopened, data_size as u64, 1).unwrap();
        assert_eq!(counts(&raw), (1, 0, 0), "first read, near the start");
        let far = 40_000;
        content.write_at(&mut state, far, &[5; 9]).unwrap();
        counts(&raw);
        let reopened = ContentState::new(state.raw_len(), 0);
        content.read_at(&reopened, far, 9).unwrap();
        let header = u32::from(settings.unique_iv);
        assert_eq!(counts(&raw), (1 + header, 0, 0), "first read, far away");
    }
}

/// With held blocks a file that is written from front to back reaches storage in order, each raw
/// byte once, whatever the sizes of the requests.
#[test]
fn sequential_writes_reach_storage_in_order_and_once() {
    for (n, settings) in all_settings().into_iter().enumerate() {
        let codec = codec(&settings);
        let mut noise = Noise::new(300 + n as u64);
        let raw = Memory::default();
        raw.only_appends.set(true);
        let content = Content::new(&codec, &raw);
        let mut state = ContentState::new_file(0).holding(true);
        let mut model = Vec::new();
        for _ in 0..60 {
            let len = 1 + noise.below(settings.block_size as usize * 2);
            let data = noise.bytes(len);
            let at = model.len() as u64;
            content.write_at(&mut state, at, &data).unwrap();
            model.extend(data);
            assert_eq!(&*content.read_at(&state, 0, 1 << 20).unwrap(), &model);
        }
        content.flush_held(&mut state).unwrap();
        let fresh = ContentState::new(raw.len().unwrap(), 0);
        assert_eq!(&*content.read_at(&fresh, 0, 1 << 20).unwrap(), &model);
    }
}

/// Never panics and never hangs, whatever lies in storage.
#[test]
fn mutated_contents_are_data_or_errors() {
    let mut noise = Noise::new(99);
    for settings in all_settings() {
        let codec = codec(&settings);
        for _ in 0..200 {
            let len = noise.below(settings.block_size as usize * 3);
            let mut bytes = noise.bytes(len);
            if noise.below(2) == 0 {
                let zeros = noise.below(bytes.len() + 1);
                bytes[..zeros].fill(0);
            }
            let raw = Memory::new(&bytes);
            let content = Content::new(&codec, &raw);
            let known_len = bytes.len() as u64 + noise.below(40) as u64;
            let mut state = ContentState::new(known_len, noise.next());
            let at = noise.next() >> noise.below(64);
            let _ = content.read_at(&state, at, noise.below(5000));
            let _ = content.write_at(&mut state, noise.below(1000) as u64, b"data");
            let _ = content.set_len(&mut state, noise.below(1000) as u64);
            let _ = content.write_at(&mut state, u64::MAX - 2, b"data");
            let _ = content.set_len(&mut state, u64::MAX);
        }
    }
}
