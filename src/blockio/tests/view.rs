//! The view of reverse mode, against the forward direction and against itself.

use super::super::{BlockCodec, CipherView, Content, ContentSettings, ContentState, Error};
use super::{Memory, codec};
use crate::crypto::testing::Noise;
use crate::raw::BytesAt;

const INODE: u64 = 4711;
const BLOCK: usize = 64;

fn view_codec(unique_iv: bool, allow_holes: bool) -> BlockCodec {
    codec(&ContentSettings {
        block_size: BLOCK as u32,
        unique_iv,
        mac_bytes: 0,
        rand_bytes: 0,
        allow_holes,
        plain_data: false,
        force_decode: false,
    })
}

fn sizes() -> impl Iterator<Item = usize> {
    (0..=BLOCK * 2 + 10).chain([BLOCK * 9 - 1, BLOCK * 9, BLOCK * 9 + 1])
}

fn whole_view(codec: &BlockCodec, plain: &Memory) -> Vec<u8> {
    let view = CipherView::new(codec, plain, INODE);
    view.read_at(0, 1 << 20).unwrap().to_vec()
}

/// What a normal volume shows of a file that is a copy of the view.
fn decoded(codec: &BlockCodec, view: &[u8]) -> Vec<u8> {
    let raw = Memory::new(view);
    let state = ContentState::new(raw.len().unwrap(), 0);
    let content = Content::new(codec, &raw);
    content.read_at(&state, 0, 1 << 20).unwrap().to_vec()
}

#[test]
fn a_copy_of_the_view_is_a_file_of_a_normal_volume() {
    let mut noise = Noise::new(21);
    for unique_iv in [false, true] {
        // Without holes, so that blocks of zeros that were not encrypted would show.
        let codec = view_codec(unique_iv, false);
        for size in sizes() {
            let plains = [noise.bytes(size), vec![0; size]];
            for plain in plains {
                let view = whole_view(&codec, &Memory::new(&plain));
                let header = if unique_iv && size > 0 { 8 } else { 0 };
                assert_eq!(view.len(), size + header);
                assert_eq!(
                    codec.layout().raw_size(size as u64),
                    Some(view.len() as u64)
                );
                assert_eq!(decoded(&codec, &view), plain, "{size}");
                let block = view.get(header..header + BLOCK);
                assert_ne!(block, Some(&[0; BLOCK][..]), "zeros shown as they are");
            }
        }
    }
}

#[test]
fn any_range_is_one_raw_read_and_the_same_bytes() {
    let mut noise = Noise::new(22);
    for unique_iv in [false, true] {
        let codec = view_codec(unique_iv, true);
        for size in sizes() {
            let plain = Memory::new(&noise.bytes(size));
            let all = whole_view(&codec, &plain);
            let view = CipherView::new(&codec, &plain, INODE);
            for _ in 0..40 {
                let at = noise.below(all.len() + 20);
                let len = 1 + noise.below(200);
                plain.reset();
                let got = view.read_at(at as u64, len).unwrap();
                let end = (at + len).min(all.len());
                assert_eq!(
                    *got,
                    *all.get(at..end).unwrap_or_default(),
                    "{size}: {at}+{len}"
                );
                assert_eq!(plain.reads.get(), 1);
            }
            assert!(view.read_at(0, 0).unwrap().is_empty());
        }
    }
    let codec = view_codec(false, true);
    let plain = Memory::new(b"plain");
    let view = CipherView::new(&codec, &plain, INODE);
    assert!(matches!(view.read_at(u64::MAX, 2), Err(Error::TooLarge)));
}

#[test]
fn the_file_iv_is_that_of_the_inode_alone() {
    let codec = view_codec(true, true);
    let plain = Memory::new(&[1; 200]);
    let mine = whole_view(&codec, &plain);
    assert_eq!(mine, whole_view(&codec, &plain));
    let other = CipherView::new(&codec, &plain, INODE + 1);
    assert_ne!(*other.read_at(0, 1000).unwrap(), *mine);
}

#[test]
fn what_is_written_into_the_view_is_read_from_it_again() {
    for holes in [false, true] {
        let codec = view_codec(false, holes);
        let mut noise = Noise::new(23);
        for _ in 0..60 {
            let start = noise.below(300);
            let plain = Memory::new(&noise.bytes(start));
            let mut model = whole_view(&codec, &plain);
            let view = CipherView::new(&codec, &plain, INODE);
            for _ in 0..12 {
                // Never past the end: what is between is the volume's business.
                let at = noise.below(model.len() + 1);
                if noise.below(4) == 0 {
                    view.set_len(at as u64).unwrap();
                    model.truncate(at);
                } else {
                    let len = noise.below(200);
                    let data = noise.bytes(len);
                    view.write_at(at as u64, &data).unwrap();
                    model.resize(model.len().max(at + data.len()), 0);
                    model[at..at + data.len()].copy_from_slice(&data);
                }
                assert_eq!(whole_view(&codec, &plain), model);
                // And it is what a normal volume would decode, but for full blocks of zeros.
                assert_eq!(decoded(&view_codec(false, false), &model), plain.contents());
            }
        }
    }
}

#[test]
fn blocks_that_a_writer_skips_are_plain_zeros_where_holes_are_allowed() {
    let codec = view_codec(false, true);
    let plain = Memory::new(b"");
    let view = CipherView::new(&codec, &plain, INODE);
    view.write_at(BLOCK as u64 * 3, b"end").unwrap();
    assert_eq!(plain.contents()[..BLOCK * 3], [0; BLOCK * 3]);
    view.set_len(BLOCK as u64 * 9).unwrap();
    assert_eq!(plain.contents()[BLOCK * 4..], [0; BLOCK * 5]);
}

#[test]
fn a_view_with_headers_is_not_written() {
    let codec = view_codec(true, true);
    let plain = Memory::new(b"plain");
    let view = CipherView::new(&codec, &plain, INODE);
    assert!(matches!(
        view.write_at(0, b"x"),
        Err(Error::ViewNotWritable)
    ));
    assert!(matches!(view.set_len(0), Err(Error::ViewNotWritable)));
    assert_eq!(plain.contents(), b"plain");
}
