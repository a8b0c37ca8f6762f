//! The faults of the table.

use compat_tests::rawfs::{Effect, Fault, Names, Op, Partly, Space, When, Which};
use rustix::io::Errno;

use super::action::Action;

/// How the storage comes back.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    /// It is good again, with all that it acknowledged.
    Good,
    /// The power is cut.
    PowerCut(Names),
}

/// A row of the table.
pub(super) struct Row {
    pub(super) label: String,
    pub(super) action: Action,
    pub(super) faults: Vec<Fault>,
    pub(super) space: Option<Space>,
    pub(super) direct_io: bool,
    pub(super) end: End,
    /// Errors that the program may be told.
    pub(super) errnos: Vec<Errno>,
}

impl Row {
    fn new(label: &str, action: Action) -> Self {
        Self {
            label: label.to_owned(),
            action,
            faults: Vec::new(),
            space: None,
            direct_io: false,
            end: End::Good,
            errnos: vec![Errno::IO],
        }
    }

    fn fault(mut self, op: Op, when: When, errno: Errno) -> Self {
        let effect = Effect::Refuse(errno);
        self.faults.push(Fault::new(Which::Kind(op), when, effect));
        self.errnos = vec![errno];
        self
    }

    fn lost(mut self, fault: Fault, end: End) -> Self {
        self.faults.push(fault);
        self.end = end;
        self.errnos = vec![Errno::NOTCONN];
        self
    }

    fn space(mut self, left: u64, partly: Partly) -> Self {
        let errno = Errno::NOSPC;
        self.space = Some(Space {
            left,
            partly,
            errno,
        });
        self.errnos = vec![errno];
        self
    }
}

/// Every row.
pub(super) fn rows() -> Vec<Row> {
    [
        failing_requests(),
        random_failures(),
        full(),
        short(),
        lost(),
        power_cuts(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn failing_requests() -> Vec<Row> {
    use Action::{Append, Grow, Move, MoveDir, New, Patch, PatchSync, Rewrite, Truncate};
    let mut rows = Vec::new();
    for n in 1..=3 {
        for action in [Patch, Append, Rewrite, New, Truncate, Grow] {
            let label = format!("EIO on write {n} during {}", action.label());
            rows.push(Row::new(&label, action).fault(Op::Write, When::Nth(n), Errno::IO));
        }
    }
    for action in [Patch, Append, Rewrite, New, Truncate, Grow] {
        // What was written before the error stands in storage.
        let label = format!("EIO after half of write 1 during {}", action.label());
        let mut row = Row::new(&label, action);
        let torn = Effect::Torn(300, Errno::IO);
        let fault = Fault::new(Which::Kind(Op::Write), When::Nth(1), torn);
        row.faults.push(fault);
        rows.push(row);
    }
    for action in [Patch, Append, Rewrite, Truncate, Move] {
        let reads = format!("EIO on every read during {}", action.label());
        rows.push(Row::new(&reads, action).fault(Op::Read, When::Always, Errno::IO));
        let getattr = format!("EIO on first getattr during {}", action.label());
        rows.push(Row::new(&getattr, action).fault(Op::Getattr, When::Nth(1), Errno::IO));
    }
    for (what, action) in [
        ("truncate during rewrite", Rewrite),
        ("truncate", Truncate),
        ("growing truncate", Grow),
    ] {
        let label = format!("EIO on {what}");
        rows.push(Row::new(&label, action).fault(Op::Truncate, When::Nth(1), Errno::IO));
    }
    for (label, action, op, when) in [
        ("EIO on rename", Move, Op::Rename, When::Nth(1)),
        (
            "EIO on rename 3 of a directory",
            MoveDir,
            Op::Rename,
            When::Nth(3),
        ),
        ("EIO on fsync", PatchSync, Op::Fsync, When::Always),
        ("EIO on flush (close)", Patch, Op::Flush, When::Always),
        ("EIO on create", New, Op::Create, When::Nth(1)),
        ("EIO on open during patch", Patch, Op::Open, When::Nth(1)),
        (
            "EIO on lookup during patch",
            Patch,
            Op::Lookup,
            When::Nth(1),
        ),
    ] {
        rows.push(Row::new(label, action).fault(op, when, Errno::IO));
    }
    for errno in [Errno::DQUOT, Errno::REMOTEIO, Errno::STALE, Errno::TIMEDOUT] {
        let name = compat_tests::rawfs::words::errno_name(errno);
        for action in [Patch, Append] {
            let label = format!("{name} on every write during {}", action.label());
            rows.push(Row::new(&label, action).fault(Op::Write, When::Always, errno));
        }
    }
    rows
}

fn random_failures() -> Vec<Row> {
    let mut rows = Vec::new();
    for (what, which, per_mille) in [
        ("1% of all operations", Which::Every, 10),
        ("5% of all operations", Which::Every, 50),
        ("5% of writes", Which::Kind(Op::Write), 50),
    ] {
        for seed in 1..=3 {
            let label = format!("EIO on {what}, 60 files (seed {seed})");
            let mut row = Row::new(&label, Action::Many);
            let when = When::Random { per_mille, seed };
            let refuse = Effect::Refuse(Errno::IO);
            row.faults.push(Fault::new(which, when, refuse));
            rows.push(row);
        }
    }
    rows
}

fn full() -> Vec<Row> {
    use Action::{Append, AppendMuch, Grow, NewMuch, Patch, Rewrite};
    let mut rows = Vec::new();
    for action in [NewMuch, AppendMuch] {
        for (how, partly) in [
            ("", Partly::Whole),
            (", half a write, told", Partly::Told),
            (", half a write, not told", Partly::Untold),
        ] {
            let label = format!("ENOSPC after 50000 bytes{how}, {}", action.label());
            rows.push(Row::new(&label, action).space(50_000, partly));
        }
    }
    for action in [Append, Rewrite, Patch, Grow] {
        let label = format!("ENOSPC at once, {}", action.label());
        rows.push(Row::new(&label, action).space(0, Partly::Whole));
        let label = format!("ENOSPC after 20 bytes, half a write, {}", action.label());
        rows.push(Row::new(&label, action).space(20, Partly::Untold));
    }
    rows
}

fn short() -> Vec<Row> {
    let mut rows = Vec::new();
    for (what, op) in [("writes", Op::Write), ("reads", Op::Read)] {
        for action in [Action::Patch, Action::Append, Action::New, Action::Truncate] {
            let label = format!(
                "short {what} of 1000 bytes (direct I/O), {}",
                action.label()
            );
            let mut row = Row::new(&label, action);
            row.direct_io = true;
            let short = Effect::Short(1000);
            row.faults
                .push(Fault::new(Which::Kind(op), When::Always, short));
            rows.push(row);
        }
    }
    rows
}

fn lost() -> Vec<Row> {
    use Action::{Append, Many, Move, MoveDir, MoveOver, New, Patch, Rewrite};
    let mut rows = Vec::new();
    let every = Fault {
        then_all: Some(Errno::NOTCONN),
        ..Fault::new(Which::Every, When::Nth(40), Effect::Refuse(Errno::NOTCONN))
    };
    let label = "ENOTCONN from operation 40 on, 60 files";
    rows.push(Row::new(label, Many).lost(every, End::Good));
    for action in [Move, MoveOver, MoveDir, Patch, Append, Rewrite, New] {
        for n in 1..=3 {
            for (how, fault) in [
                ("after", Fault::lost_after(n)),
                ("before the answer to", Fault::lost_untold(n)),
            ] {
                let label = format!(
                    "connection lost for good {how} change {n} of {}",
                    action.label()
                );
                rows.push(Row::new(&label, action).lost(fault, End::Good));
            }
        }
    }
    rows
}

fn power_cuts() -> Vec<Row> {
    use Action::{ManySafely, MoveDir, NewSync, PatchSync, RewriteSync};
    let mut rows = Vec::new();
    for (how, names) in [("survive", Names::Kept), ("go back", Names::Back)] {
        for n in 1..=6 {
            let label = format!("crash at change {n} of mv-dir, names {how}");
            let row = Row::new(&label, MoveDir);
            rows.push(row.lost(Fault::lost_before(n), End::PowerCut(names)));
        }
        for action in [PatchSync, RewriteSync, NewSync] {
            let label = format!(
                "crash after fsync of a {} returned, names {how}",
                action.label()
            );
            let mut row = Row::new(&label, action);
            row.end = End::PowerCut(names);
            rows.push(row);
            for n in 1..=2 {
                let label = format!("crash at change {n} of a {}, names {how}", action.label());
                let row = Row::new(&label, action);
                rows.push(row.lost(Fault::lost_before(n), End::PowerCut(names)));
            }
        }
    }
    let mut row = Row::new(
        "crash after 60 files were synced and renamed, names survive",
        ManySafely,
    );
    row.end = End::PowerCut(Names::Kept);
    rows.push(row);
    rows
}
