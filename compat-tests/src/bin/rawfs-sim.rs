//! `rawfs-sim`: raw storage that misbehaves, by hand. `rawfs-sim --help` says how.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use compat_tests::rawfs::{
    Op, Options, Order, Overwrite, RawFs, Truncation, Upload, preset, words,
};

const HELP: &str = "\
usage: rawfs-sim [options] FOLDER MOUNTPOINT

Serves FOLDER on MOUNTPOINT, in the foreground until it is unmounted, and misbehaves as ordered.
At the end it says how many requests of each kind came.

  --preset NAME         storage as it is found; goes before other options. NAME: clean, omnifs,
                        sshfs, s3fs, rclone-off, rclone-writes, davfs2, fat
  --upload MS           contents are seen by later opens so long after the close
  --attr-lag MS         sizes and times that are told are those of so long ago
  --truncate HOW        every truncation: ignore, late=MS, or refuse=ERROR
  --truncate-nonzero HOW
                        the same, to all sizes but zero
  --overwrite-lost BYTES
                        a second write within one open to the first BYTES (or all) is lost
  --append-only ERROR   writes elsewhere than at the end are refused
  --sequential-only ERROR
                        writes that do not come in order from 0 on are refused
  --refuse KIND=ERROR   a kind of request is always refused
  --ignore KIND         a kind (chmod, chown, utimens, setxattr, removexattr, fsync, fsyncdir) is
                        acknowledged and does nothing
  --latency MS          each request takes so many milliseconds longer
  --latency KIND=MS     those of one kind
  --jitter MS           up to so many more, at random
  --bandwidth BYTES     read or written in a second
  --fault KIND:WHEN:EFFECT
                        KIND: every, changing, or one of those below
                        WHEN: always, 3 (the third), 3- (from the third on), random=PER_MILLE/SEED
                        EFFECT: an error such as EIO; untold=EIO (done, answered with the error);
                        short=BYTES; torn=BYTES/EIO (so much written, then the error);
                        lost (ENOTCONN from then on)
  --space BYTES[:whole|told|untold[:ERROR]]
                        files may grow by so much; a write that fits in part is refused as a
                        whole, done in part and told, done in part and answered with the error
  --attr-timeout MS     how long the kernel may believe attributes (1000)
  --entry-timeout MS    how long it may believe names (1000)
  --direct-io           reads and writes bypass the page cache
  --others              other users may use it
  --trace FILE          each request in a line, written there at the end

kinds:";

struct Wanted {
    options: Options,
    trace: Option<PathBuf>,
    places: Vec<PathBuf>,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rawfs-sim: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let Some(wanted) = parse(std::env::args_os().skip(1))? else {
        println!("{HELP}");
        for op in Op::all() {
            println!("  {}", op.name());
        }
        return Ok(());
    };
    let [folder, point] = wanted.places.as_slice() else {
        bail!("a folder and a mount point are needed; --help says more");
    };
    let mount = RawFs::mount(folder, point, &wanted.options)?;
    let control = mount.control().clone();
    mount.serve()?;
    let counted = control.take_counts();
    if let Some(path) = wanted.trace {
        let mut text = String::new();
        for traced in control.take_trace() {
            writeln!(text, "{traced}")?;
        }
        writeln!(text, "{counted}")?;
        std::fs::write(path, text)?;
    }
    println!("{counted}");
    Ok(())
}

fn parse(args: impl Iterator<Item = std::ffi::OsString>) -> Result<Option<Wanted>> {
    let mut wanted = Wanted {
        options: Options::default(),
        trace: None,
        places: Vec::new(),
    };
    let mut args = args.peekable();
    while let Some(arg) = args.next() {
        let Some(word) = arg.to_str().filter(|word| word.starts_with("--")) else {
            wanted.places.push(PathBuf::from(arg));
            continue;
        };
        let options = &mut wanted.options;
        match word {
            "--help" => return Ok(None),
            "--direct-io" => options.direct_io = true,
            "--others" => options.others = true,
            word => {
                let value = args.next().with_context(|| format!("{word} what?"))?;
                let value = value.to_str().context("not UTF-8")?;
                match word {
                    "--preset" => {
                        *options = preset(value).with_context(|| format!("no preset {value}"))?;
                    }
                    "--upload" => {
                        options.behaviour.upload = Some(Upload {
                            delay: words::milliseconds(value)?,
                            size_is_right: true,
                        });
                    }
                    "--attr-lag" => options.behaviour.attr_lag = words::milliseconds(value)?,
                    "--truncate" => {
                        options.behaviour.truncation = Truncation::always(words::act(value)?);
                    }
                    "--truncate-nonzero" => {
                        options.behaviour.truncation = Truncation::but_zero(words::act(value)?);
                    }
                    "--overwrite-lost" => {
                        options.behaviour.overwrite = match value {
                            "all" => Overwrite::Lost,
                            bytes => Overwrite::LostBefore(bytes.parse()?),
                        };
                    }
                    "--append-only" => {
                        options.behaviour.order = Order::AppendOnly(words::errno(value)?);
                    }
                    "--sequential-only" => {
                        options.behaviour.order = Order::SequentialOnly(words::errno(value)?);
                    }
                    "--refuse" => {
                        let (kind, errno) = value.split_once('=').context("KIND=ERROR")?;
                        let kind = Op::by_name(kind).context("no such kind")?;
                        let errno = words::errno(errno)?;
                        options.behaviour.refused.insert(kind, errno);
                    }
                    "--ignore" => {
                        let kind = Op::by_name(value).context("no such kind")?;
                        options.behaviour.ignored.insert(kind);
                    }
                    "--latency" => match value.split_once('=') {
                        None => options.latency.every = words::milliseconds(value)?,
                        Some((kind, time)) => {
                            let kind = Op::by_name(kind).context("no such kind")?;
                            let time = words::milliseconds(time)?;
                            options.latency.kinds.insert(kind, time);
                        }
                    },
                    "--jitter" => options.latency.jitter = words::milliseconds(value)?,
                    "--bandwidth" => options.latency.bytes_per_second = Some(value.parse()?),
                    "--fault" => options.faults.push(words::fault(value)?),
                    "--space" => options.space = Some(words::space(value)?),
                    "--trace" => {
                        options.trace = true;
                        wanted.trace = Some(PathBuf::from(value));
                    }
                    "--attr-timeout" => options.attr_timeout = words::milliseconds(value)?,
                    "--entry-timeout" => options.entry_timeout = words::milliseconds(value)?,
                    word => bail!("{word} is unknown; --help says more"),
                }
            }
        }
    }
    Ok(Some(wanted))
}
