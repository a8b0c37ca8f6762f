//! The kinds of storage: one misbehaviour each, and storage as it is found.

use std::time::Duration;

use rustix::io::Errno;

use crate::rawfs::{
    Act, Behaviour, Options, Order, Overwrite, PRESETS, Truncation, Upload, preset,
};

/// How late late things are. Only the clock of the storage counts, which is put forward.
pub(super) const LATE: Duration = Duration::from_secs(600);

/// One kind of storage.
#[derive(Clone, Debug)]
pub struct Kind {
    /// Its name in the tables.
    pub name: String,
    /// What it does.
    pub about: String,
    /// The storage.
    pub options: Options,
}

impl Kind {
    /// Whether a second write to the same bytes within one open is lost.
    pub(super) fn loses_second_writes(&self) -> bool {
        matches!(self.options.behaviour.overwrite, Overwrite::Lost)
    }
}

/// All kinds.
#[must_use]
pub fn kinds() -> Vec<Kind> {
    let late = Act::Late(LATE);
    let refuse = Act::Refuse(Errno::OPNOTSUPP);
    let clean = Behaviour::default;
    let cut = |truncation| Behaviour {
        truncation,
        ..clean()
    };
    let upload = |size_is_right| Behaviour {
        upload: Some(Upload {
            delay: LATE,
            size_is_right,
        }),
        ..clean()
    };
    let overwrite = |overwrite| Behaviour {
        overwrite,
        ..clean()
    };
    let order = |order| Behaviour { order, ..clean() };
    let behaviours = [
        (
            "trunc-nonzero-ignored",
            "setting a size other than 0 is acknowledged and not done",
            cut(Truncation::but_zero(Act::Ignore)),
        ),
        (
            "trunc-nonzero-refused",
            "setting a size other than 0 is refused (EOPNOTSUPP)",
            cut(Truncation::but_zero(refuse)),
        ),
        (
            "trunc-nonzero-late",
            "setting a size other than 0 takes effect late",
            cut(Truncation::but_zero(late)),
        ),
        (
            "trunc-ignored",
            "setting any size is acknowledged and not done",
            cut(Truncation::always(Act::Ignore)),
        ),
        (
            "trunc-late",
            "setting any size takes effect late",
            cut(Truncation::always(late)),
        ),
        (
            "stale-attr",
            "sizes and times that are told are those of some time ago",
            Behaviour {
                attr_lag: LATE,
                ..clean()
            },
        ),
        (
            "upload-late",
            "contents are seen by later opens some time after the close",
            upload(true),
        ),
        (
            "upload-committed",
            "the same, and the size of an open file is that of the last upload",
            upload(false),
        ),
        (
            "header-overwrite-lost",
            "a second write to the first 8 bytes within one open is lost",
            overwrite(Overwrite::LostBefore(8)),
        ),
        (
            "overwrite-lost",
            "a second write to any byte within one open is lost",
            overwrite(Overwrite::Lost),
        ),
        (
            "append-only",
            "writes elsewhere than at the end are refused (EINVAL)",
            order(Order::AppendOnly(Errno::INVAL)),
        ),
        (
            "sequential-only",
            "writes that do not come in order, from 0 on in an empty file, are refused (EINVAL)",
            order(Order::SequentialOnly(Errno::INVAL)),
        ),
        (
            "rubbish",
            "reads past the end give rubbish",
            Behaviour {
                rubbish: true,
                ..clean()
            },
        ),
    ];
    let behaviours = behaviours.map(|(name, about, behaviour)| Kind {
        name: name.to_owned(),
        about: about.to_owned(),
        options: Options {
            behaviour,
            attr_timeout: Duration::ZERO,
            ..Options::default()
        },
    });
    let presets = PRESETS.iter().filter_map(|name| {
        let mut options = preset(name)?;
        // Nothing here depends on how long it takes.
        options.latency = Default::default();
        if let Some(upload) = &mut options.behaviour.upload
            && !upload.delay.is_zero()
        {
            upload.delay = LATE;
        }
        Some(Kind {
            name: format!("like {name}"),
            about: format!("the preset `{name}` of the simulator"),
            options,
        })
    });
    behaviours.into_iter().chain(presets).collect()
}
