//! `ls`: a directory with plain names, sizes and times.

use std::ffi::OsStr;
use std::io::{self, BufWriter, Write};
use std::os::unix::ffi::OsStrExt;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::open;
use crate::cli::ctl_request::VolumeRequest;
use crate::cli::exit::Failure;
use crate::cli::output::{Format, json_name, print_json, stdout_is_terminal};
use crate::cli::password_source::PasswordWays;
use crate::raw::{Errno, Kind, Stat, Time};
use crate::term::{Console, printable, printable_name};
use crate::volume::walk::{Entry, VolumeDir};
use crate::volume::{Volume, read};

/// Lists the directory at the plain path `path`; the root if it is empty.
pub(super) fn list(
    request: &VolumeRequest,
    path: &OsStr,
    format: Format,
    passwords: &PasswordWays,
    console: &mut Console,
) -> Result<(), Failure> {
    let volume = open::volume(request, passwords, console)?;
    let directory = directory(&volume, path.as_bytes())?;
    let mut entries = directory.list()?.entries;
    entries.sort_by(|a, b| a.plain.cmp(&b.plain));
    let mut rows = Vec::with_capacity(entries.len());
    for entry in entries {
        match directory.stat(&entry) {
            Ok(stat) => rows.push((entry, stat)),
            // Removed since the directory was read.
            Err(error) if error.errno == Errno::NOENT => {}
            Err(error) => return Err(error.into()),
        }
    }
    match format {
        Format::Human => print_lines(&volume, &directory, &rows),
        Format::Json => {
            let rows = rows
                .iter()
                .map(|(entry, stat)| as_json(&volume, &directory, entry, stat));
            Ok(print_json(&Value::Array(rows.collect()))?)
        }
    }
}

fn directory<'v>(volume: &'v Volume, path: &[u8]) -> Result<VolumeDir<'v>, Failure> {
    if path
        .split(|&byte| byte == b'/')
        .all(|part| part.is_empty() || part == b".")
    {
        return Ok(VolumeDir::root(volume));
    }
    let found = read::find(volume, path).map_err(|error| Failure::access(path, &error))?;
    let (parent, entry) = found;
    if entry.kind != Kind::Dir {
        let text = format!("{}: not a directory", printable(path));
        return Err(Failure::new("not_a_directory", text).at(path));
    }
    parent
        .open(&entry)
        .map_err(|error| Failure::access(path, &error.into()))
}

fn print_lines(
    volume: &Volume,
    directory: &VolumeDir<'_>,
    rows: &[(Entry, Stat)],
) -> Result<(), Failure> {
    let zone = TimeZone::system();
    let to_terminal = stdout_is_terminal();
    let mut out = BufWriter::new(io::stdout().lock());
    let own = directory.dir().stat_self()?;
    writeln!(out, "{:>11} {} .", own.size, local_time(own.mtime, &zone))?;
    for (entry, stat) in rows {
        let size = size(volume, stat).map_or_else(|| "?".to_owned(), |size| size.to_string());
        write!(out, "{size:>11} {} ", local_time(stat.mtime, &zone))?;
        out.write_all(&printable_name(entry.plain.as_bytes(), to_terminal))?;
        out.write_all(b"\n")?;
    }
    out.flush()?;
    Ok(())
}

fn as_json(volume: &Volume, directory: &VolumeDir<'_>, entry: &Entry, stat: &Stat) -> Value {
    let mut row = Map::new();
    row.insert("name".to_owned(), json_name(entry.plain.as_bytes()));
    row.insert("raw_name".to_owned(), json_name(entry.raw.as_bytes()));
    row.insert("kind".to_owned(), kind_word(stat.kind).into());
    row.insert("size".to_owned(), size(volume, stat).into());
    row.insert("raw_size".to_owned(), stat.size.into());
    row.insert("mode".to_owned(), stat.mode.into());
    row.insert("mtime".to_owned(), stat.mtime.secs.into());
    row.insert("mtime_nanos".to_owned(), stat.mtime.nanos.into());
    if stat.kind == Kind::Symlink {
        let target = directory.link_target(entry).ok();
        let target = target.map_or(Value::Null, |target| json_name(&target));
        row.insert("target".to_owned(), target);
    }
    Value::Object(row)
}

/// Size in bytes as the user of a mount sees it; `None` if no intact file has the raw size.
fn size(volume: &Volume, stat: &Stat) -> Option<u64> {
    match stat.kind {
        Kind::File => volume.plain_size(stat.size).map(|size| size.bytes),
        _ => Some(stat.size),
    }
}

fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::File => "file",
        Kind::Dir => "directory",
        Kind::Symlink => "symlink",
        Kind::Fifo => "fifo",
        Kind::Socket => "socket",
        Kind::CharDevice => "char_device",
        Kind::BlockDevice => "block_device",
    }
}

/// `YYYY-MM-DD HH:MM:SS`; a time that no calendar has is shown as seconds.
fn local_time(time: Time, zone: &TimeZone) -> String {
    match Timestamp::from_second(time.secs) {
        Ok(timestamp) => timestamp
            .to_zoned(zone.clone())
            .strftime("%Y-%m-%d %H:%M:%S")
            .to_string(),
        Err(_) => format!("{:>19}", time.secs),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::Offset;

    #[test]
    fn times_have_the_right_month() {
        let at = |secs| Time {
            secs,
            nanos: 999_999_999,
        };
        let utc = TimeZone::UTC;
        assert_eq!(local_time(at(0), &utc), "1970-01-01 00:00:00");
        assert_eq!(local_time(at(1_764_084_000), &utc), "2025-11-25 15:20:00");
        assert_eq!(local_time(at(-1), &utc), "1969-12-31 23:59:59");
        let east = TimeZone::fixed(Offset::from_hours(2).unwrap());
        assert_eq!(local_time(at(1_764_084_000), &east), "2025-11-25 17:20:00");
        assert_eq!(local_time(at(i64::MAX), &utc), "9223372036854775807");
    }
}
