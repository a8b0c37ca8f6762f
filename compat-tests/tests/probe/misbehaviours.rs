//! Each way to misbehave by itself: exactly that is found out.

use std::time::Duration;

use anyhow::Result;
use compat_tests::rawfs::{
    Act, Behaviour, Numbers, Op, Options, Order, Overwrite, Spelling, Truncation, Upload,
};
use encfs_rs::probe::{Case, Findings, HardLinks, InodeNumbers, Outcome};
use rustix::io::Errno;

use super::{all, compare, findings, good, refused, storage};

/// Between the fifth and the last but one of the moments at which it is looked.
const LATE: Duration = Duration::from_millis(800);
/// The moment at which something so late is seen.
const SEEN: Outcome = Outcome::Late(1200);

struct Misbehaviour {
    name: String,
    options: Options,
    wanted: Findings,
}

/// Kernels believe nothing: what is seen is what the storage tells.
fn options(behaviour: Behaviour) -> Options {
    Options {
        attr_timeout: Duration::ZERO,
        entry_timeout: Duration::ZERO,
        behaviour,
        ..Options::default()
    }
}

fn case(
    name: impl Into<String>,
    behaviour: Behaviour,
    change: impl FnOnce(&mut Findings),
) -> Misbehaviour {
    let mut wanted = good();
    change(&mut wanted);
    Misbehaviour {
        name: name.into(),
        options: options(behaviour),
        wanted,
    }
}

fn truncations() -> Vec<Misbehaviour> {
    let mut cases = Vec::new();
    for (act, outcome) in [
        (Act::Ignore, Outcome::Ignored),
        (Act::Refuse(Errno::PERM), refused(Errno::PERM)),
        (Act::Late(LATE), SEEN),
    ] {
        let truncating = |truncation| Behaviour {
            truncation,
            ..Behaviour::default()
        };
        let to_zero = Truncation {
            to_zero: act,
            ..Truncation::default()
        };
        let shrink = Truncation {
            shrink: act,
            ..Truncation::default()
        };
        let grow = Truncation {
            grow: act,
            ..Truncation::default()
        };
        cases.push(case(
            format!("to zero: {act:?}"),
            truncating(to_zero),
            |f| {
                f.truncate_to_zero = outcome;
            },
        ));
        cases.push(case(format!("shrink: {act:?}"), truncating(shrink), |f| {
            f.truncate_to_header = outcome;
            f.truncate_in_block = outcome;
        }));
        // The simulator's late truncations only cut.
        let grown = if outcome == SEEN {
            Outcome::Ignored
        } else {
            outcome
        };
        cases.push(case(format!("grow: {act:?}"), truncating(grow), |f| {
            f.truncate_to_grow = grown;
        }));
    }
    cases
}

fn writes() -> Vec<Misbehaviour> {
    let lost = |overwrite| Behaviour {
        overwrite,
        ..Behaviour::default()
    };
    let ordered = |order| Behaviour {
        order,
        ..Behaviour::default()
    };
    let in_place = |f: &mut Findings, errno| {
        for outcome in [
            &mut f.overwrite_header,
            &mut f.overwrite,
            &mut f.second_write_of_header,
            &mut f.second_write,
            &mut f.gap,
        ] {
            *outcome = refused(errno);
        }
    };
    let mut rubbish = case(
        "rubbish",
        Behaviour {
            rubbish: true,
            ..Behaviour::default()
        },
        |f| f.read_past_end = Outcome::Wrong,
    );
    let cached = Misbehaviour {
        name: "rubbish through the cache".to_owned(),
        options: rubbish.options.clone(),
        wanted: rubbish.wanted.clone(),
    };
    rubbish.options.direct_io = true;
    vec![
        case("header lost", lost(Overwrite::LostBefore(8)), |f| {
            f.second_write_of_header = Outcome::Ignored;
        }),
        case("second writes lost", lost(Overwrite::Lost), |f| {
            f.second_write_of_header = Outcome::Ignored;
            f.second_write = Outcome::Ignored;
        }),
        case(
            "append only",
            ordered(Order::AppendOnly(Errno::INVAL)),
            |f| {
                in_place(f, Errno::INVAL);
            },
        ),
        case(
            "sequential only",
            ordered(Order::SequentialOnly(Errno::PERM)),
            |f| {
                in_place(f, Errno::PERM);
                f.append = refused(Errno::PERM);
            },
        ),
        rubbish,
        cached,
        case(
            "attributes of some time ago",
            Behaviour {
                attr_lag: LATE,
                ..Behaviour::default()
            },
            |f| {
                f.size_while_open = SEEN;
                f.size_after_close = SEEN;
                f.contents_after_close = SEEN;
            },
        ),
    ]
}

fn times() -> Vec<Misbehaviour> {
    let mut cases = Vec::new();
    for secs in [1, 2, 60] {
        let behaviour = Behaviour {
            mtime_step: Duration::from_secs(secs),
            ..Behaviour::default()
        };
        cases.push(case(format!("times of {secs} s"), behaviour, |f| {
            f.times.step = Duration::from_secs(secs);
        }));
    }
    for shift in [3600, -7200] {
        let behaviour = Behaviour {
            mtime_shift: shift,
            ..Behaviour::default()
        };
        cases.push(case(format!("times shifted {shift} s"), behaviour, |f| {
            f.times.shift_secs = shift;
        }));
    }
    cases
}

fn names() -> Vec<Misbehaviour> {
    let spelling = |spelling| Behaviour {
        spelling,
        ..Behaviour::default()
    };
    let forbidding = |bytes: &[u8]| {
        spelling(Spelling {
            forbidden: bytes.to_vec(),
            ..Spelling::default()
        })
    };
    let mut cases = vec![
        case(
            "no case",
            spelling(Spelling {
                case_insensitive: true,
                ..Spelling::default()
            }),
            |f| f.names.case = Case::Same,
        ),
        case("no line feeds", forbidding(b"\n"), |f| {
            f.names.refused = b"\n".to_vec();
        }),
        case("no marks of DOS", forbidding(b"\"*:<>?\\|"), |f| {
            f.names.refused = b"\"*:<>?\\|".to_vec();
        }),
        case("no bytes past ASCII", forbidding(&[0xff]), |f| {
            f.names.not_utf8 = refused(Errno::INVAL);
        }),
    ];
    for longest in [64, 143, 254] {
        let short = spelling(Spelling {
            longest: Some(longest),
            ..Spelling::default()
        });
        cases.push(case(format!("names of {longest}"), short, |f| {
            f.names.longest = u16::try_from(longest).ok();
        }));
    }
    cases
}

fn entries() -> Vec<Misbehaviour> {
    let over = |act| Behaviour {
        rename_over: act,
        ..Behaviour::default()
    };
    let mut fleeting = case("fleeting numbers", Behaviour::default(), |f| {
        f.inode_numbers = InodeNumbers::Change;
        // To the kernel two opens are of two files.
        f.locks = Outcome::Ignored;
    });
    fleeting.options.numbers = Numbers::Fleeting;
    // They change when the kernel forgets a file, and it cannot be made to.
    let mut counted = case("counted numbers", Behaviour::default(), |_| {});
    counted.options.numbers = Numbers::Counted;
    vec![
        case(
            "links not counted",
            Behaviour {
                hides_links: true,
                ..Behaviour::default()
            },
            |f| {
                f.hard_links = HardLinks::NotCounted;
            },
        ),
        case("no renames over", over(Act::Refuse(Errno::BUSY)), |f| {
            f.rename_over = refused(Errno::BUSY);
            f.replaced_open = refused(Errno::BUSY);
        }),
        case("renames over ignored", over(Act::Ignore), |f| {
            f.rename_over = Outcome::Ignored;
        }),
        // Another computer could see it; through one kernel it cannot be seen.
        case(
            "renames in steps",
            Behaviour {
                rename_in_steps: true,
                ..Behaviour::default()
            },
            |_| {},
        ),
        case(
            "no flags of renames",
            Behaviour {
                rename_flags: Some(Errno::INVAL),
                ..Behaviour::default()
            },
            |f| f.rename_noreplace = refused(Errno::INVAL),
        ),
        counted,
        fleeting,
    ]
}

fn refusals() -> Vec<Misbehaviour> {
    let no = Errno::ACCESS;
    let refusing = |op: Op, change: fn(&mut Findings, Outcome)| {
        let behaviour = Behaviour::default().refusing(&[op], no);
        case(format!("{} refused", op.name()), behaviour, |f| {
            change(f, refused(no))
        })
    };
    vec![
        refusing(Op::Truncate, |f, no| {
            f.truncate_to_zero = no;
            f.truncate_to_header = no;
            f.truncate_in_block = no;
            f.truncate_to_grow = no;
        }),
        refusing(Op::Link, |f, _| {
            f.hard_links = HardLinks::Refused(Errno::ACCESS)
        }),
        refusing(Op::Symlink, |f, no| {
            f.symlink_relative = no;
            f.symlink_parent = no;
            f.symlink_absolute = no;
        }),
        refusing(Op::Readlink, |f, no| {
            f.symlink_relative = no;
            f.symlink_parent = no;
            f.symlink_absolute = no;
        }),
        refusing(Op::Mknod, |f, no| f.fifo = no),
        refusing(Op::Chmod, |f, no| f.chmod = no),
        refusing(Op::Chown, |f, no| f.chown = no),
        refusing(Op::Utimens, |f, no| f.times.set = no),
        refusing(Op::Setxattr, |f, no| f.xattr = no),
        refusing(Op::Getxattr, |f, no| f.xattr = no),
        refusing(Op::Fsync, |f, no| f.sync = no),
        refusing(Op::Fsyncdir, |f, no| f.sync_dir = no),
        refusing(Op::Fallocate, |f, no| {
            f.reserve = no;
            f.punch_hole = no;
        }),
        refusing(Op::Rename, |f, no| {
            f.rename = no;
            f.rename_over = no;
            f.rename_noreplace = no;
            f.rename_dir = no;
            f.replaced_open = no;
        }),
    ]
}

fn ignored() -> Vec<Misbehaviour> {
    let ignoring = |op: Op, change: fn(&mut Findings)| {
        let behaviour = Behaviour::default().ignoring(&[op]);
        case(format!("{} ignored", op.name()), behaviour, change)
    };
    vec![
        ignoring(Op::Chmod, |f| f.chmod = Outcome::Ignored),
        ignoring(Op::Chown, |f| f.chown = Outcome::Ignored),
        ignoring(Op::Utimens, |f| f.times.set = Outcome::Ignored),
        ignoring(Op::Setxattr, |f| f.xattr = Outcome::Ignored),
        // Only a crash would show it.
        ignoring(Op::Fsync, |_| {}),
        ignoring(Op::Fsyncdir, |_| {}),
    ]
}

#[test]
fn each_misbehaviour_is_named_and_no_other() -> Result<()> {
    let mut cases = vec![case("none", Behaviour::default(), |_| {})];
    cases.extend(truncations());
    cases.extend(writes());
    cases.extend(times());
    cases.extend(names());
    cases.extend(entries());
    cases.extend(refusals());
    cases.extend(ignored());
    all(
        &cases,
        |case| case.name.clone(),
        |case| {
            let storage = storage(&case.options)?;
            let examined = storage.examine()?;
            storage.is_as_before()?;
            compare(&findings(examined)?, &case.wanted)
        },
    )
}

/// The copies of an upload are closed by the kernel at its leisure, so these take their time.
#[test]
fn contents_that_are_sent_off_at_the_close_are_seen_late() -> Result<()> {
    let sent = |delay, size_is_right| {
        options(Behaviour {
            upload: Some(Upload {
                delay: Duration::from_millis(delay),
                size_is_right,
            }),
            ..Behaviour::default()
        })
    };
    let cases = [
        ("sent at once", sent(0, true), [Outcome::Honoured; 3]),
        (
            "sent at once, old size",
            sent(0, false),
            [Outcome::Ignored, Outcome::Honoured, Outcome::Honoured],
        ),
        (
            "sent later",
            sent(400, true),
            [Outcome::Honoured, Outcome::Late(0), Outcome::Late(0)],
        ),
    ];
    all(
        &cases,
        |case| case.0.to_owned(),
        |(_, options, outcomes)| {
            let storage = storage(options)?;
            let mut found = findings(storage.examine_in_time()?)?;
            storage.is_as_before()?;
            let mut wanted = good();
            [
                wanted.size_while_open,
                wanted.size_after_close,
                wanted.contents_after_close,
            ] = *outcomes;
            // How late depends on the computer.
            for late in [&mut found.size_after_close, &mut found.contents_after_close] {
                if matches!(late, Outcome::Late(250..)) {
                    *late = Outcome::Late(0);
                }
            }
            compare(&found, &wanted)
        },
    )
}
