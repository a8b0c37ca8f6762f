//! Writes and cuts that fail: what was acknowledged stays readable.

use super::super::{Content, ContentState, Error};
use super::{Memory, all_settings, codec};
use crate::crypto::testing::Noise;
use crate::raw::BytesAt;

/// Appends and cuts that break off leave exactly what was there.
#[test]
fn failed_growth_and_cuts_leave_the_file_as_it_was() {
    let mut cases = 0;
    for (n, settings) in all_settings().into_iter().enumerate() {
        let codec = codec(&settings);
        let mut noise = Noise::new(5000 + n as u64);
        let data_size = codec.layout().data_size() as usize;
        for _ in 0..60 {
            let len = 1 + noise.below(data_size * 4);
            let before = noise.bytes(len);
            let raw = Memory::default();
            let content = Content::new(&codec, &raw);
            let mut state = ContentState::new(0, 0);
            content.write_at(&mut state, 0, &before).unwrap();
            if noise.below(2) == 0 {
                state = ContentState::new(raw.len().unwrap(), 0);
            }
            raw.fail_in.set(Some(noise.below(3) as u32));
            raw.partly.set(noise.below(data_size * 2));
            let size = before.len() as u64;
            let result = match noise.below(4) {
                0 => content.write_at(&mut state, size, &noise.bytes(data_size * 2)),
                1 => content.write_at(&mut state, size + noise.next() % 999, b"far"),
                2 => content.set_len(&mut state, size + 1 + noise.next() % 999),
                _ => content.set_len(&mut state, 1 + noise.next() % size),
            };
            let failed = result.is_err();
            raw.fail_in.set(None);
            if failed {
                cases += 1;
                let fresh = ContentState::new(raw.len().unwrap(), 0);
                let now = content.read_at(&fresh, 0, 1 << 20).unwrap();
                assert_eq!(&*now, &before, "{settings:?}");
                // The same state works on, once it knows the length again.
                state.refresh(raw.len().unwrap());
                content.write_at(&mut state, size, b"more").unwrap();
                let now = content.read_at(&state, 0, 1 << 20).unwrap();
                assert_eq!(&*now, &[&before[..], b"more"].concat(), "{settings:?}");
            }
        }
    }
    assert!(cases > 300, "only {cases} failures were seen");
}

/// A patch that breaks off leaves the blocks around it readable: each byte outside the patch is
/// what it was.
#[test]
fn failed_patches_spare_their_neighbours() {
    for (n, settings) in all_settings().into_iter().enumerate() {
        let codec = codec(&settings);
        let mut noise = Noise::new(9000 + n as u64);
        let data_size = codec.layout().data_size() as usize;
        for _ in 0..40 {
            let before = noise.bytes(data_size * 3);
            let raw = Memory::default();
            let content = Content::new(&codec, &raw);
            let mut state = ContentState::new(0, 0);
            content.write_at(&mut state, 0, &before).unwrap();
            let at = 1 + noise.below(data_size - 2);
            let len = 1 + noise.below(data_size - at - 1);
            raw.fail_in.set(Some(0));
            raw.partly.set(noise.below(data_size));
            let patch = noise.bytes(len);
            content.write_at(&mut state, at as u64, &patch).unwrap_err();
            let fresh = ContentState::new(raw.len().unwrap(), 0);
            let now = content.read_at(&fresh, 0, 1 << 20).unwrap();
            assert_eq!(&*now, &before, "{settings:?}");
        }
    }
}

/// Storage that takes the order to cut a file and does nothing: an error is told, and every byte is
/// what it was.
#[test]
fn ignored_cuts_are_told_and_leave_the_file_as_it_was() {
    for (n, settings) in all_settings().into_iter().enumerate() {
        let codec = codec(&settings);
        let mut noise = Noise::new(7000 + n as u64);
        let before = noise.bytes(codec.layout().data_size() as usize * 2 + 9);
        let raw = Memory::default();
        let content = Content::new(&codec, &raw);
        let mut state = ContentState::new_file(0);
        content.write_at(&mut state, 0, &before).unwrap();
        raw.ignores_cuts.set(true);
        for len in [0, 1, codec.layout().data_size(), before.len() as u64 - 1] {
            let result = content.set_len(&mut state, len);
            assert!(matches!(result, Err(Error::NotCut { .. })), "{len}");
            state.refresh(raw.len().unwrap());
            let now = content.read_at(&state, 0, 1 << 20).unwrap();
            assert_eq!(&*now, &before, "{settings:?}, cut to {len}");
        }
    }
}

/// Storage that calls a file empty which is not: it is not taken for a new one.
#[test]
fn a_lagging_empty_file_gets_no_second_header() {
    for settings in all_settings().into_iter().filter(|s| s.unique_iv) {
        let codec = codec(&settings);
        let raw = Memory::default();
        let content = Content::new(&codec, &raw);
        let mut state = ContentState::new_file(0);
        content.write_at(&mut state, 0, b"contents").unwrap();
        let before = raw.bytes.borrow().clone();
        let mut lagging = ContentState::new(0, 0);
        let result = content.write_at(&mut lagging, 0, b"new");
        assert!(matches!(result, Err(Error::Unsettled { found: 8 })));
        assert_eq!(*raw.bytes.borrow(), before);
    }
}

/// A patch that breaks off while a last block is held: its neighbours and the held block are what
/// they were.
#[test]
fn failed_patches_beside_a_held_block_spare_their_neighbours() {
    for (n, settings) in all_settings().into_iter().enumerate() {
        let codec = codec(&settings);
        let mut noise = Noise::new(11_000 + n as u64);
        let data_size = codec.layout().data_size() as usize;
        for _ in 0..40 {
            let before = noise.bytes(data_size * 3 + 5);
            let raw = Memory::default();
            let content = Content::new(&codec, &raw);
            let mut state = ContentState::new_file(0).holding(true);
            content.write_at(&mut state, 0, &before).unwrap();
            assert!(state.is_held());
            let at = 1 + noise.below(data_size - 2);
            // Within one block, or up to the held one.
            let len = [1 + noise.below(data_size - at - 1), data_size * 3 - at + 2][noise.below(2)];
            raw.fail_in.set(Some(0));
            raw.partly.set(noise.below(data_size));
            let patch = noise.bytes(len);
            content.write_at(&mut state, at as u64, &patch).unwrap_err();
            state.refresh(raw.len().unwrap());
            let now = content.read_at(&state, 0, 1 << 20).unwrap();
            assert_eq!(&now[..at], &before[..at], "{settings:?}");
            assert_eq!(now.len(), before.len());
            assert_eq!(&now[at + len..], &before[at + len..], "{settings:?}");
        }
    }
}
