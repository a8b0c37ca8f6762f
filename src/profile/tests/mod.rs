mod storage;

use super::question::{block_size, key_bits, leading_number, random_bytes, yes_no};
use super::*;
use crate::config::{Interface, NewVolume};
use crate::crypto::Algorithm;

const FORWARD: Situation = Situation {
    reverse: false,
    require_macs: false,
    insecure: false,
};

/// Answers every question from `lines`; afterwards the input has ended.
fn dialogue(situation: Situation, lines: &[&str]) -> (Option<NewVolume>, Vec<Note>, usize) {
    let mut expert = Expert::new(situation).unwrap();
    let mut notes = Vec::new();
    let mut used = 0;
    while expert.question().is_some() {
        let line = lines.get(used).map(|l| l.as_bytes());
        used += 1;
        match expert.answer(line) {
            Reply::Taken(more) => notes.extend(more),
            Reply::InputEnded => return (None, notes, used),
            Reply::InvalidChoice | Reply::YesOrNo => assert!(line.is_some()),
        }
    }
    (expert.finish(), notes, used)
}

#[test]
fn the_first_letter_chooses_the_profile() {
    for (line, profile) in [
        ("x", MenuAnswer::EveryQuestion),
        ("xyz", MenuAnswer::EveryQuestion),
        ("p", MenuAnswer::Take(Profile::PARANOIA)),
        ("r", MenuAnswer::Recommended),
        ("", MenuAnswer::Take(Profile::STANDARD)),
        ("X", MenuAnswer::Take(Profile::STANDARD)),
        ("P", MenuAnswer::Take(Profile::STANDARD)),
        ("R", MenuAnswer::Take(Profile::STANDARD)),
        ("q", MenuAnswer::Take(Profile::STANDARD)),
    ] {
        assert_eq!(MenuAnswer::of_line(line.as_bytes()), profile, "{line:?}");
    }
}

#[test]
fn presets_are_those_of_the_format() {
    let s = standard(FORWARD).unwrap();
    assert_eq!(s.cipher, Interface::new("ssl/aes", 3, 0));
    assert_eq!(s.naming, Interface::new("nameio/block", 4, 0));
    assert_eq!((s.key_bits, s.block_size), (192, 1024));
    assert_eq!((s.mac_bytes, s.rand_bytes, s.kdf_duration_ms), (0, 0, 500));
    assert!(s.unique_iv && s.chained_name_iv && s.allow_holes);
    assert!(!s.external_iv && !s.plain_data);

    let macs = Situation {
        require_macs: true,
        ..FORWARD
    };
    assert_eq!(standard(macs).unwrap().mac_bytes, 8);

    let p = paranoia(FORWARD).unwrap();
    assert_eq!((p.key_bits, p.block_size), (256, 1024));
    assert_eq!((p.mac_bytes, p.rand_bytes, p.kdf_duration_ms), (8, 0, 3000));
    assert!(p.unique_iv && p.chained_name_iv && p.external_iv && p.allow_holes);
}

#[test]
fn reverse_mode_limits_the_presets() {
    let reverse = Situation {
        reverse: true,
        ..FORWARD
    };
    let s = standard(reverse).unwrap();
    assert!(!s.unique_iv && !s.chained_name_iv && !s.external_iv && s.allow_holes);
    assert_eq!(s.mac_bytes, 0);
    assert_eq!(paranoia(reverse), Err(Error::ParanoiaReverse));
    let macs = Situation {
        require_macs: true,
        ..reverse
    };
    assert_eq!(standard(macs), Err(Error::MacsReverse));
    assert_eq!(Expert::new(macs).err(), Some(Error::MacsReverse));
}

/// What another program feeds through a pipe (after the `x`): 1,256,1024,3,y,y,y,y,8,y.
#[test]
fn a_whole_dialogue() {
    let lines = ["1", "256", "1024", "3", "y", "y", "y", "y", "8", "y"];
    let (settings, notes, used) = dialogue(FORWARD, &lines);
    assert_eq!(used, 10);
    assert_eq!(notes, [Note::KeySize(256), Note::BlockSize(1024)]);
    let expected = NewVolume {
        key_bits: 256,
        naming: Interface::new("nameio/null", 1, 0),
        external_iv: true,
        mac_bytes: 8,
        rand_bytes: 8,
        ..standard(FORWARD).unwrap()
    };
    assert_eq!(settings, Some(expected));
}

#[test]
fn empty_lines_and_the_end_of_input_mean_the_defaults() {
    let expected = NewVolume {
        cipher: Interface::new("ssl/blowfish", 3, 0),
        key_bits: 128,
        naming: Interface::new("nameio/stream", 2, 1),
        ..standard(FORWARD).unwrap()
    };
    let empty = ["2", "", "", "4", "", "", "", "", "", ""];
    assert_eq!(dialogue(FORWARD, &empty).0, Some(expected.clone()));
    assert_eq!(dialogue(FORWARD, &empty[..4]).0, Some(expected));
    // but not for a list
    assert_eq!(dialogue(FORWARD, &[]).0, None);
    assert_eq!(dialogue(FORWARD, &empty[..3]).0, None);
}

#[test]
fn wrong_answers_are_asked_again() {
    let mut expert = Expert::new(FORWARD).unwrap();
    for wrong in ["", "0", "4", "-1", "aes", "99999999999999999999"] {
        assert_eq!(
            expert.answer(Some(wrong.as_bytes())),
            Reply::InvalidChoice,
            "{wrong:?}"
        );
    }
    for line in ["3", "192", "64", "2"] {
        assert!(matches!(
            expert.answer(Some(line.as_bytes())),
            Reply::Taken(_)
        ));
    }
    assert_eq!(expert.answer(Some(b"maybe")), Reply::YesOrNo);
    assert_eq!(
        expert.question(),
        Some(Question::YesNo {
            about: YesNo::NameChaining,
            default: true
        })
    );
    assert!(expert.finish().is_none());
}

#[test]
fn the_header_depends_on_the_path_only_if_it_can() {
    for (chaining, unique) in [("n", "y"), ("y", "n"), ("n", "n")] {
        let lines = ["1", "", "", "1", chaining, unique, "", "", ""];
        let (settings, notes, used) = dialogue(FORWARD, &lines);
        let settings = settings.unwrap();
        assert_eq!(used, lines.len());
        assert_eq!(notes.last(), Some(&Note::NoExternalIv));
        assert!(!settings.external_iv);
        assert_eq!(settings.chained_name_iv, chaining == "y");
        assert_eq!(settings.unique_iv, unique == "y");
    }
}

#[test]
fn required_macs_are_not_asked_for() {
    let situation = Situation {
        require_macs: true,
        ..FORWARD
    };
    let lines = ["1", "", "", "1", "", "", "y", "3", "n"];
    let (settings, notes, used) = dialogue(situation, &lines);
    let settings = settings.unwrap();
    assert_eq!(used, lines.len());
    assert!(notes.contains(&Note::MacsRequired));
    assert_eq!((settings.mac_bytes, settings.rand_bytes), (8, 3));
    assert!(settings.external_iv && !settings.allow_holes);
}

#[test]
fn plain_contents_end_the_dialogue_early() {
    let situation = Situation {
        insecure: true,
        ..FORWARD
    };
    let (settings, _, used) = dialogue(situation, &["1", "", "", "y", "1"]);
    let s = settings.unwrap();
    assert_eq!(used, 5);
    assert!(s.plain_data);
    assert!(!s.unique_iv && !s.chained_name_iv && !s.external_iv && !s.allow_holes);
    // "no" goes on as usual
    let (settings, _, used) = dialogue(situation, &["1", "", "", "", "1"]);
    assert_eq!(used, 11);
    assert!(!settings.unwrap().plain_data);
}

#[test]
fn reverse_mode_asks_only_for_the_per_file_iv() {
    let situation = Situation {
        reverse: true,
        ..FORWARD
    };
    let (settings, notes, used) = dialogue(situation, &["1", "", "", "1", ""]);
    let s = settings.unwrap();
    assert_eq!(used, 5);
    assert!(!s.unique_iv && !s.chained_name_iv && s.allow_holes);
    assert_eq!(notes.last(), Some(&Note::ReverseLimits));
    let (settings, notes, _) = dialogue(situation, &["1", "", "", "1", "y"]);
    assert!(settings.unwrap().unique_iv);
    assert_eq!(notes.last(), Some(&Note::ReverseReadOnly));
}

#[test]
fn numbers_are_clamped_and_rounded() {
    for (line, bits) in [
        ("250", 256),
        ("0", 128),
        ("", 128),
        ("-5", 128),
        ("99999", 256),
        ("150", 128),
        ("x", 128),
        ("192 bits", 192),
    ] {
        assert_eq!(
            key_bits(line.as_bytes(), Algorithm::Aes, 128),
            bits,
            "{line:?}"
        );
    }
    assert_eq!(key_bits(b"170", Algorithm::Blowfish, 128), 160);
    for (line, size) in [
        ("", 1024),
        ("63", 1024),
        ("64", 64),
        ("500", 496),
        ("504", 512),
        ("4096", 4096),
        ("99999999999", 4096),
        ("-1", 1024),
        ("big", 1024),
    ] {
        assert_eq!(block_size(line.as_bytes(), 16, 1024), size, "{line:?}");
    }
    assert_eq!(block_size(b"500", 8, 1024), 504);
    for (line, count) in [("", 0), ("8", 8), ("9", 8), ("-1", 0), ("x", 0), ("3", 3)] {
        assert_eq!(random_bytes(line.as_bytes()), count, "{line:?}");
    }
    assert_eq!(leading_number(b" +12abc"), Some(12));
    assert_eq!(leading_number(b"-"), None);
}

#[test]
fn empty_answers_mean_what_is_recommended() {
    let recommended = Profile::STORAGE.settings(FORWARD).unwrap();
    let mut expert = Expert::with_defaults(FORWARD, recommended.clone());
    let mut asked = 0;
    while expert.question().is_some() {
        assert!(matches!(expert.answer(Some(b"")), Reply::Taken(_)));
        asked += 1;
    }
    assert_eq!(asked, 9, "all but the path in the header");
    assert_eq!(expert.finish(), Some(recommended.clone()));
    // Another cipher has other key sizes; the rest stays.
    let mut expert = Expert::with_defaults(FORWARD, recommended.clone());
    expert.answer(Some(b"2"));
    while expert.question().is_some() {
        expert.answer(None);
    }
    let blowfish = NewVolume {
        cipher: Interface::new("ssl/blowfish", 3, 0),
        ..recommended
    };
    assert_eq!(expert.finish(), Some(blowfish));
}

#[test]
fn every_profile_has_a_name_and_differs() {
    for profile in Profile::ALL {
        assert_eq!(Profile::by_name(profile.name()), Some(profile));
        let settings = profile.settings(FORWARD).unwrap();
        let same = Profile::ALL
            .into_iter()
            .filter(|other| other.settings(FORWARD).unwrap() == settings);
        assert_eq!(same.count(), 1, "{}", profile.name());
    }
    assert_eq!(Profile::by_name("auto"), None);
    assert_eq!(
        Profile::STANDARD.settings(FORWARD),
        standard(FORWARD),
        "--profile standard is --standard"
    );
    let s = Profile::STORAGE.settings(FORWARD).unwrap();
    assert_eq!((s.key_bits, s.block_size), (256, 4096));
    assert_eq!(s.naming, Interface::new("nameio/stream", 2, 1));
    assert!(s.chained_name_iv && !s.unique_iv && !s.external_iv && s.allow_holes);
    assert_eq!((s.mac_bytes, s.rand_bytes), (0, 0));
}

#[test]
fn yes_and_no_may_be_written_out() {
    for line in ["y", "yes", "YES", "Y"] {
        assert_eq!(yes_no(line.as_bytes(), false), Some(true));
    }
    for line in ["n", "no", "No"] {
        assert_eq!(yes_no(line.as_bytes(), true), Some(false));
    }
    assert_eq!(yes_no(b"", true), Some(true));
    assert_eq!(yes_no(b"", false), Some(false));
    assert_eq!(yes_no(b"yep", true), None);
}
