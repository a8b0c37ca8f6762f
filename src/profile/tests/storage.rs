//! What is advised on which storage: the measured faults of EncFS 1.9, and what names need.

use std::time::Duration;

use crate::config::NewVolume;
use crate::probe::{Case, Findings, HardLinks, Outcome};
use crate::profile::*;
use crate::raw::{Errno, SpaceInfo};

const REFUSED: Outcome = Outcome::Refused(Errno::INVAL);

fn like(change: impl FnOnce(&mut Findings)) -> Storage {
    let mut findings = Findings::good();
    change(&mut findings);
    Storage::examined(None, findings)
}

fn advised(storage: &Storage, writers: bool) -> Advice {
    advice(storage, writers, Situation::default()).unwrap()
}

fn concerns_of(storage: &Storage, writers: bool, profile: Profile) -> Vec<Concern> {
    let settings = profile.settings(Situation::default()).unwrap();
    let all = concerns(&settings, storage, writers);
    all.into_iter().map(|(_, concern)| concern).collect()
}

/// Faults of storage that EncFS 1.9 and standard settings do not go together with.
fn bad_for_headers() -> [(Storage, Concern); 4] {
    let cut = |outcome| like(|f| f.truncate_to_header = outcome);
    [
        (cut(Outcome::Ignored), Concern::CutToHeader(Cuts::Ignored)),
        (cut(Outcome::Late(400)), Concern::CutToHeader(Cuts::Late)),
        (cut(REFUSED), Concern::CutToHeader(Cuts::Refused)),
        (like(|f| f.append = REFUSED), Concern::WriteAfterHeader),
    ]
}

#[test]
fn good_storage_gets_standard_whoever_writes() {
    let storage = like(|_| {});
    assert!(!writers_matter(&storage));
    for writers in [false, true] {
        let advice = advised(&storage, writers);
        assert_eq!(advice.best, Profile::STANDARD);
        assert_eq!(advice.costs, [Concern::ChangesUnnoticed]);
        assert!(advice.reasons.iter().all(|(_, why)| *why == Reason::Usual));
        assert_eq!(advice.reasons.len(), 8);
        let others: Vec<Profile> = advice.others.iter().map(|(profile, _)| *profile).collect();
        assert_eq!(others, [Profile::STORAGE, Profile::PARANOIA]);
    }
    assert!(caveats(&storage).is_empty());
}

#[test]
fn storage_that_does_not_cut_gets_no_headers_but_only_if_encfs_writes() {
    for (storage, concern) in bad_for_headers() {
        assert!(writers_matter(&storage), "{concern:?}");
        assert_eq!(
            advised(&storage, false).best,
            Profile::STANDARD,
            "{concern:?}"
        );
        let advice = advised(&storage, true);
        assert_eq!(advice.best, Profile::STORAGE, "{concern:?}");
        assert!(
            advice
                .reasons
                .contains(&(Setting::FileIv, Reason::Instead(concern)))
        );
        assert!(advice.costs.contains(&Concern::EqualBlocks));
        let (standard, risks) = &advice.others[0];
        assert_eq!((*standard, risks[0]), (Profile::STANDARD, concern));
    }
}

#[test]
fn macs_are_a_risk_where_encfs_writes_and_blocks_cannot_be_written_twice() {
    let storage = like(|f| f.second_write = REFUSED);
    let paranoia = |writers| concerns_of(&storage, writers, Profile::PARANOIA);
    assert!(paranoia(true).contains(&Concern::WrittenTwice));
    assert!(!paranoia(false).contains(&Concern::WrittenTwice));
    assert!(writers_matter(&storage));
    assert_eq!(advised(&storage, true).best, Profile::STANDARD);
}

#[test]
fn headers_tied_to_names_need_storage_that_shows_and_takes_changes() {
    let late = like(|f| f.contents_after_close = Outcome::Late(400));
    assert!(concerns_of(&late, true, Profile::PARANOIA).contains(&Concern::LostByRename));
    assert!(concerns_of(&late, false, Profile::PARANOIA).contains(&Concern::RenameWaits));
    assert_eq!(caveats(&late), [Caveat::ShowsLate]);
    let once = like(|f| f.overwrite_header = REFUSED);
    for writers in [false, true] {
        assert!(concerns_of(&once, writers, Profile::PARANOIA).contains(&Concern::RenameRefused));
    }
    let links = |links| concerns_of(&like(|f| f.hard_links = links), false, Profile::PARANOIA);
    assert!(links(HardLinks::Counted).contains(&Concern::NoHardLinks));
    let none = links(HardLinks::Refused(Errno::PERM));
    assert!(!none.contains(&Concern::NoHardLinks), "nothing is lost");
}

#[test]
fn storage_that_never_cuts_is_a_matter_of_the_program_not_of_settings() {
    let storage = like(|f| {
        f.truncate_to_zero = Outcome::Ignored;
        f.truncate_to_header = Outcome::Ignored;
    });
    assert_eq!(caveats(&storage), [Caveat::NeverCuts]);
}

#[test]
fn names_suit_the_storage_whoever_writes() {
    let one_case = like(|f| f.names.case = Case::Same);
    let short = like(|f| f.names.longest = Some(64));
    // eCryptfs: shorter than elsewhere, and long enough
    let shorter = like(|f| f.names.longest = Some(143));
    for writers in [false, true] {
        let advice = advised(&one_case, writers);
        assert_eq!(advice.best.name(), "standard-caseless");
        let risks = |concerns: &[Concern]| concerns.iter().any(|one| one.is_risk());
        assert!(!risks(&advice.costs));
        assert!(advice.others.iter().all(|(_, concerns)| !risks(concerns)));
        assert_eq!(advised(&short, writers).best.name(), "standard-short");
        assert_eq!(advised(&shorter, writers).best, Profile::STANDARD);
    }
    for profile in [Profile::STANDARD, Profile::STORAGE, Profile::PARANOIA] {
        assert!(concerns_of(&one_case, false, profile).contains(&Concern::CaseCollides));
    }
    let standard = concerns_of(&short, false, Profile::STANDARD);
    assert!(
        standard.contains(&Concern::NamesTooLong(31)),
        "{standard:?}"
    );
    let both = like(|f| {
        f.names.case = Case::Same;
        f.truncate_to_header = Outcome::Ignored;
    });
    assert_eq!(advised(&both, true).best.name(), "storage-caseless");
}

#[test]
fn plain_names_need_storage_that_takes_every_name() {
    let null = NewVolume {
        naming: crate::config::Interface::new("nameio/null", 1, 0),
        ..standard(Situation::default()).unwrap()
    };
    let names = |storage: &Storage| {
        let all = concerns(&null, storage, false);
        let names = all
            .into_iter()
            .filter(|(cause, _)| *cause == Setting::Names);
        names.map(|(_, concern)| concern).collect::<Vec<_>>()
    };
    assert_eq!(names(&like(|_| {})), [Concern::NamesInTheOpen]);
    assert_eq!(
        names(&like(|f| f.names.refused = b":?".to_vec())),
        [Concern::NamesRefused, Concern::NamesInTheOpen]
    );
}

#[test]
fn time_alone_changes_no_profile() {
    let time = Duration::from_millis(21);
    let slow = like(|f| f.latency.write = Some(time));
    let advice = advised(&slow, true);
    assert_eq!(advice.best, Profile::STANDARD);
    assert!(advice.costs.contains(&Concern::ManyRequests(time)));
    assert!(
        !advised(&slow, false)
            .costs
            .contains(&Concern::ManyRequests(time))
    );
    assert!(concerns_of(&slow, false, Profile::PARANOIA).contains(&Concern::RenameCosts(time)));
    assert!(!writers_matter(&slow));
}

#[test]
fn demands_of_the_command_line_come_first() {
    let (storage, _) = bad_for_headers()[0].clone();
    let reverse = Situation {
        reverse: true,
        ..Situation::default()
    };
    let advice = advice(&storage, true, reverse).unwrap();
    assert_eq!(advice.best, Profile::STANDARD, "it has no headers there");
    assert!(
        advice
            .others
            .iter()
            .all(|(profile, _)| *profile != Profile::PARANOIA)
    );
    let macs = Situation {
        reverse: true,
        require_macs: true,
        insecure: false,
    };
    assert_eq!(super::advice(&storage, true, macs), Err(Error::MacsReverse));
}

#[test]
fn the_kernel_alone_says_what_does_not_fit() {
    let space = |name_max| {
        Some(SpaceInfo {
            fragment_size: 4096,
            block_size: 4096,
            blocks: 1,
            blocks_free: 1,
            blocks_available: 1,
            files: 1,
            files_free: 1,
            name_max,
        })
    };
    let by_kernel = |kind: &str, name_max: u64, profile: Profile| {
        let storage = Storage::by_kernel(Some(kind), false, space(name_max));
        mismatches(&profile.settings(Situation::default()).unwrap(), &storage)
    };
    let caseless = Profile::new(Base::Standard, Names::Caseless);
    let short = Profile::new(Base::Standard, Names::Short);
    for (kind, name_max, profile, expected) in [
        ("ext4", 255, Profile::STANDARD, None),
        ("ext4", 255, Profile::PARANOIA, None),
        ("nfs4", 255, Profile::PARANOIA, None),
        ("fuse.sshfs", 255, Profile::PARANOIA, None),
        ("fuse", 0, Profile::STANDARD, None),
        ("ext4", 4096, Profile::STANDARD, None),
        ("ecryptfs", 143, Profile::STANDARD, None),
        (
            "odd",
            64,
            Profile::STANDARD,
            Some(Concern::NamesTooLong(31)),
        ),
        ("odd", 64, short, None),
        // It counts characters, six bytes each.
        ("vfat", 1530, Profile::STANDARD, Some(Concern::CaseCollides)),
        ("vfat", 1530, Profile::STORAGE, Some(Concern::CaseCollides)),
        ("vfat", 1530, caseless, None),
        ("exfat", 255, caseless, None),
        ("fuse.s3fs", 255, Profile::STANDARD, None),
        (
            "fuse.s3fs",
            255,
            Profile::PARANOIA,
            Some(Concern::RenameUploads),
        ),
        (
            "fuse.rclone",
            255,
            Profile::PARANOIA,
            Some(Concern::RenameUploads),
        ),
        ("fuse.goofys", 255, Profile::STANDARD, None),
        (
            "fuse.goofys",
            255,
            Profile::PARANOIA,
            Some(Concern::RenameRefused),
        ),
    ] {
        let found = by_kernel(kind, name_max, profile);
        let expected: Vec<Concern> = expected.into_iter().collect();
        assert_eq!(found, expected, "{kind} {name_max} {}", profile.name());
    }
}
