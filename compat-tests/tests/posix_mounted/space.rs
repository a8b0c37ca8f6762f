//! Holes and room: sparse files, fallocate, SEEK_DATA and SEEK_HOLE, statfs.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{FileExt, MetadataExt};

use anyhow::{Result, ensure};
use compat_tests::ops::bytes;
use rustix::fs::{FallocateFlags, SeekFrom, fallocate, seek};
use rustix::io::Errno;

use crate::place::{Case, Place, refused, same};

pub(crate) const CASES: &[Case] = &[
    ("gaps read as zeros", gaps),
    ("shrink, then grow, is zero", shrink_then_grow),
    ("sparse files take little room", sparse_files),
    ("finding data and holes", data_and_holes),
    ("fallocate makes room and grows", plain_fallocate),
    ("fallocate keeps the size", keep_size),
    ("punching holes", punching),
    ("zeroing a range", zeroing),
    ("room is given back", room_is_given_back),
];

fn open(place: &Place) -> Result<File> {
    let mut options = OpenOptions::new();
    Ok(options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(place.at("file"))?)
}

fn gaps(place: &Place) -> Result<()> {
    let file = open(place)?;
    let mut model: Vec<u8> = Vec::new();
    for (round, offset) in [10, 1030, 1024 * 5 - 1, 7000, 30_000, 100_000]
        .into_iter()
        .enumerate()
    {
        let data = bytes(round as u64, 17);
        file.write_all_at(&data, offset as u64)?;
        model.resize(offset, 0);
        model.extend_from_slice(&data);
        ensure!(
            fs::read(place.at("file"))? == model,
            "after a write at {offset}"
        );
    }
    Ok(())
}

fn shrink_then_grow(place: &Place) -> Result<()> {
    for small in [
        0, 1, 100, 1015, 1016, 1017, 1023, 1024, 1025, 2048, 4000, 4999,
    ] {
        for big in [small + 1, small + 500, 5000, 9999, 10_240] {
            let file = open(place)?;
            file.write_all_at(&[0xff; 5000], 0)?;
            file.set_len(small)?;
            file.set_len(big)?;
            let got = fs::read(place.at("file"))?;
            let small = usize::try_from(small)?;
            ensure!(
                got.len() as u64 == big,
                "{small} -> {big}: size {}",
                got.len()
            );
            ensure!(
                got.iter().take(small).all(|b| *b == 0xff),
                "{small} -> {big}: old bytes"
            );
            ensure!(
                got.iter().skip(small).all(|b| *b == 0),
                "{small} -> {big}: new bytes"
            );
            fs::remove_file(place.at("file"))?;
        }
    }
    Ok(())
}

fn sparse_files(place: &Place) -> Result<()> {
    let file = open(place)?;
    file.write_all_at(b"x", 100 << 20)?;
    file.sync_all()?;
    let blocks = file.metadata()?.blocks();
    ensure!(
        blocks < 2048,
        "a hole of 100 MiB takes {blocks} blocks of 512 bytes"
    );
    file.set_len(1 << 30)?;
    ensure!(
        file.metadata()?.blocks() < 2048,
        "growing by truncate takes room"
    );
    // Copied by a program that looks for holes.
    place.shell("cp --sparse=always file copy && cmp -n 200000000 file copy")?;
    ensure!(
        fs::metadata(place.at("copy"))?.blocks() < 4096,
        "the copy is not sparse"
    );
    Ok(())
}

fn data_and_holes(place: &Place) -> Result<()> {
    let file = open(place)?;
    let mega = 1_u64 << 20;
    file.write_all_at(&bytes(1, 100_000), 0)?;
    file.write_all_at(&bytes(2, 100_000), 2 * mega)?;
    // Whole blocks of 1024 bytes and of 1016, as they are beside a MAC: by the format a partial
    // last block is no hole.
    file.set_len(130_048 * 32)?;
    file.sync_all()?;
    same("data at the start", seek(&file, SeekFrom::Data(0))?, 0)?;
    let hole = seek(&file, SeekFrom::Hole(0))?;
    ensure!(
        (100_000..mega).contains(&hole),
        "the first hole is at {hole}"
    );
    let data = seek(&file, SeekFrom::Data(hole))?;
    ensure!(
        data > mega && data <= 2 * mega,
        "the second data is at {data}"
    );
    let hole = seek(&file, SeekFrom::Hole(data))?;
    ensure!(
        (2 * mega + 100_000..3 * mega).contains(&hole),
        "the second hole is at {hole}"
    );
    // With block MACs 4 MiB is no whole number of blocks, and a last part of a block is never a
    // hole (format 7.6): there the end is data again.
    match seek(&file, SeekFrom::Data(hole)) {
        Ok(end) => ensure!(end >= 4 * mega - 8192, "data after the last at {end}"),
        Err(errno) => same("data after the last", errno, Errno::NXIO)?,
    }
    refused(
        "a hole past the end",
        seek(&file, SeekFrom::Hole(4 * mega)),
        Errno::NXIO,
    )?;
    let full = place.at("full");
    fs::write(&full, bytes(3, 5000))?;
    same(
        "a file without holes",
        seek(File::open(&full)?, SeekFrom::Hole(0))?,
        5000,
    )
}

fn plain_fallocate(place: &Place) -> Result<()> {
    let file = open(place)?;
    file.write_all_at(&bytes(1, 1500), 0)?;
    fallocate(&file, FallocateFlags::empty(), 0, 1000)?;
    same("size after a range inside", file.metadata()?.len(), 1500)?;
    fallocate(&file, FallocateFlags::empty(), 1000, 99_000)?;
    same("size", file.metadata()?.len(), 100_000)?;
    ensure!(
        file.metadata()?.blocks() >= 190,
        "only {} blocks",
        file.metadata()?.blocks()
    );
    let got = fs::read(place.at("file"))?;
    ensure!(
        got.get(..1500) == Some(bytes(1, 1500).as_slice()),
        "the old bytes"
    );
    ensure!(
        got.iter().skip(1500).all(|byte| *byte == 0),
        "the new bytes"
    );
    file.write_all_at(b"inside", 50_000)?;
    ensure!(fs::read(place.at("file"))?.get(50_000..50_006) == Some(b"inside".as_slice()));
    refused(
        "no length",
        fallocate(&file, FallocateFlags::empty(), 0, 0),
        Errno::INVAL,
    )
}

fn keep_size(place: &Place) -> Result<()> {
    let file = open(place)?;
    file.write_all_at(&bytes(1, 1500), 0)?;
    fallocate(&file, FallocateFlags::KEEP_SIZE, 0, 200_000)?;
    same("size", file.metadata()?.len(), 1500)?;
    ensure!(
        fs::read(place.at("file"))? == bytes(1, 1500),
        "the contents"
    );
    file.write_all_at(&bytes(2, 5000), 1500)?;
    drop(file);
    let wanted = [bytes(1, 1500), bytes(2, 5000)].concat();
    ensure!(
        fs::read(place.at("file"))? == wanted,
        "what is written into the room"
    );
    Ok(())
}

fn punching(place: &Place) -> Result<()> {
    let punch = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    let mut model = bytes(1, 300_000);
    let file = open(place)?;
    file.write_all_at(&model, 0)?;
    for (offset, len) in [
        (0, 10),
        (1020, 8),
        (1024, 1024),
        (5000, 1),
        (6000, 3000),
        (65_536, 131_072),
        (299_000, 50_000),
        (400_000, 10),
    ] {
        fallocate(&file, punch, offset, len)?;
        let (from, count) = (usize::try_from(offset)?, usize::try_from(len)?);
        model
            .iter_mut()
            .skip(from)
            .take(count)
            .for_each(|byte| *byte = 0);
        same("size", file.metadata()?.len(), 300_000)?;
        ensure!(
            fs::read(place.at("file"))? == model,
            "after {len} bytes at {offset}"
        );
    }
    file.sync_all()?;
    ensure!(
        file.metadata()?.blocks() < 500,
        "{} blocks are left",
        file.metadata()?.blocks()
    );
    refused(
        "without keep-size",
        fallocate(&file, FallocateFlags::PUNCH_HOLE, 0, 1),
        Errno::OPNOTSUPP,
    )
}

fn zeroing(place: &Place) -> Result<()> {
    // Either done right or said to be unsupported, by which programs fall back to writing.
    let mut model = bytes(1, 50_000);
    let file = open(place)?;
    file.write_all_at(&model, 0)?;
    match fallocate(&file, FallocateFlags::ZERO_RANGE, 777, 20_000) {
        Ok(()) => model
            .iter_mut()
            .skip(777)
            .take(20_000)
            .for_each(|byte| *byte = 0),
        Err(errno) => same("errno", errno, Errno::OPNOTSUPP)?,
    }
    ensure!(fs::read(place.at("file"))? == model, "after zeroing");
    let collapse = fallocate(&file, FallocateFlags::COLLAPSE_RANGE, 0, 4096);
    if place.kind != crate::place::Kind::Storage {
        refused("collapsing", collapse, Errno::OPNOTSUPP)?;
        ensure!(
            fs::read(place.at("file"))? == model,
            "after collapsing was refused"
        );
    }
    Ok(())
}

fn room_is_given_back(place: &Place) -> Result<()> {
    let file = open(place)?;
    file.write_all_at(&bytes(1, 1 << 20), 0)?;
    file.sync_all()?;
    let full = file.metadata()?.blocks();
    ensure!(full >= 2048, "a file of 1 MiB takes {full} blocks");
    file.set_len(1000)?;
    file.sync_all()?;
    ensure!(
        file.metadata()?.blocks() < 64,
        "cut, it takes {}",
        file.metadata()?.blocks()
    );
    let stat = rustix::fs::statvfs(&place.dir)?;
    ensure!(
        stat.f_bavail > 0 && stat.f_bavail <= stat.f_blocks,
        "statfs of no size"
    );
    Ok(())
}
