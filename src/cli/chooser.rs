//! Choosing what suits the storage: look, report, menu, and every question with what speaks against an answer.
//!
//! Used by `--expert`, by `--profile auto` and by the answer `r` of the plain menu. Nothing is written to the
//! storage here but by the examination, which takes away what it made.

use super::dialogue::DialogueError;
use super::expert_dialogue;
use super::new_volume::Creation;
use super::storage_words::{
    caveat, concern, costs, headline, recommended, why_not_standard, wrapped,
};
use crate::config::NewVolume;
use crate::profile::{
    Advice, Expert, Profile, Question, Setting, Storage, YesNo, advice, caveats, concerns,
    writers_matter,
};
use crate::term::Console;

const ABOUT_WRITERS: &str = "
Will EncFS 1.9, the C++ program, write to this volume as well? Here that matters.
";

pub(super) const EVERY_QUESTION: &str = "Manual configuration mode selected.\n";

const CUSTOM: &str = "  c  every question, one by one\n";

/// The expert's way: what is known of the storage, a menu, perhaps every question.
///
/// # Errors
/// [`DialogueError`]
pub(super) fn by_menu(
    console: &mut Console,
    creation: &Creation<'_>,
) -> Result<NewVolume, DialogueError> {
    if creation.situation.reverse {
        // Nothing is written to the storage then, so nothing of it matters.
        console.say(EVERY_QUESTION);
        return expert_dialogue::ask(console, creation.situation);
    }
    let storage = look(console, creation)?;
    let writers = creation.compatible_writers
        || (writers_matter(&storage) && yes_no(console, ABOUT_WRITERS, false)?);
    let advice = advice(&storage, writers, creation.situation)?;
    let mut profiles = vec![advice.best];
    profiles.extend(advice.others.iter().map(|(profile, _)| *profile));
    console.say(&menu(&advice, creation)?);
    loop {
        console.say("?> [1] ");
        if creation.annotate {
            console.complain("$PROMPT$ config_option\n");
        }
        let line = console.answer()?.ok_or(DialogueError::EndOfInput)?;
        console.say("\n");
        let answer = line.trim();
        if answer == "c" {
            console.say(EVERY_QUESTION);
            return every_question(console, creation, &storage, &advice, writers);
        }
        let number = if answer.is_empty() {
            Some(1)
        } else {
            answer.parse::<usize>().ok()
        };
        let by_number = number.and_then(|number| profiles.get(number.checked_sub(1)?));
        let by_name = || profiles.iter().find(|profile| profile.name() == answer);
        if let Some(profile) = by_number.or_else(by_name) {
            console.say(&format!("Profile {} selected.\n", profile.name()));
            return Ok(profile.settings(creation.situation)?);
        }
        console.complain("Invalid selection.\n");
    }
}

/// Without questions: what suits the storage, and why.
///
/// # Errors
/// [`DialogueError`]
pub(super) fn by_itself(
    console: &mut Console,
    creation: &Creation<'_>,
) -> Result<NewVolume, DialogueError> {
    let storage = look(console, creation)?;
    let advice = advice(&storage, creation.compatible_writers, creation.situation)?;
    console.say(&format!(
        "\nProfile {} selected, which suits this storage.\n",
        advice.best.name()
    ));
    for reason in why_not_standard(&advice) {
        console.say(&wrapped("  - ", &reason));
    }
    if !creation.compatible_writers && writers_matter(&storage) {
        console.say(&wrapped(
            "  - ",
            "Only encfs-rs is taken to write to this volume. If EncFS 1.9 will too, start again \
             with --compatible-writers.",
        ));
    }
    Ok(advice.best.settings(creation.situation)?)
}

/// Looks at the storage and tells what follows for EncFS 1.9.
fn look(console: &mut Console, creation: &Creation<'_>) -> Result<Storage, DialogueError> {
    let storage = super::examine::storage(console, creation)?;
    for one in caveats(&storage) {
        console.say(&wrapped("  - ", caveat(one)));
    }
    Ok(storage)
}

fn menu(advice: &Advice, creation: &Creation<'_>) -> Result<String, DialogueError> {
    let mut text = "\nWhich profile?\n".to_owned();
    let best = advice.best.settings(creation.situation)?;
    let width = advice
        .others
        .iter()
        .map(|(profile, _)| profile.name().len())
        .fold(advice.best.name().len(), usize::max);
    let line = |number: usize, profile: Profile, words: &str| {
        wrapped(&format!("  {number}  {:<width$}  ", profile.name()), words)
    };
    let words = format!("{} (recommended)", headline(&best));
    text.push_str(&line(1, advice.best, &words));
    text.push_str(&recommended(advice, &best));
    for (number, (profile, concerns)) in (2..).zip(&advice.others) {
        let settings = profile.settings(creation.situation)?;
        text.push_str(&line(number, *profile, &headline(&settings)));
        text.push_str(&costs(concerns));
    }
    Ok(text + CUSTOM)
}

fn every_question(
    console: &mut Console,
    creation: &Creation<'_>,
    storage: &Storage,
    advice: &Advice,
    writers: bool,
) -> Result<NewVolume, DialogueError> {
    let best = advice.best.settings(creation.situation)?;
    let expert = Expert::with_defaults(creation.situation, best);
    expert_dialogue::ask_from(console, expert, &|question, settings| {
        concerns(settings, storage, writers)
            .into_iter()
            .filter(|(setting, one)| Some(*setting) == setting_of(question) && one.is_risk())
            .map(|(_, one)| wrapped("  ", &concern(one)))
            .collect()
    })
}

fn setting_of(question: Question) -> Option<Setting> {
    match question {
        Question::Cipher { .. } | Question::KeySize { .. } => Some(Setting::Cipher),
        Question::BlockSize { .. } => Some(Setting::BlockSize),
        Question::Naming { .. } => Some(Setting::Names),
        Question::RandomBytes { .. } => None,
        Question::YesNo { about, .. } => match about {
            YesNo::PlainData => None,
            YesNo::NameChaining => Some(Setting::NameChaining),
            YesNo::UniqueIv => Some(Setting::FileIv),
            YesNo::ExternalIv => Some(Setting::ExternalIv),
            YesNo::BlockMac => Some(Setting::BlockMac),
            YesNo::Holes => Some(Setting::Holes),
        },
    }
}

/// Asks until it is yes or no; an empty line is `default`.
///
/// # Errors
/// The end of input answers nothing here: [`DialogueError::EndOfInput`].
pub(super) fn yes_no(
    console: &mut Console,
    question: &str,
    default: bool,
) -> Result<bool, DialogueError> {
    console.say(question);
    loop {
        console.say(if default { "[y]/n: " } else { "y/[n]: " });
        let line = console.answer()?.ok_or(DialogueError::EndOfInput)?;
        console.say("\n");
        if let Some(yes) = crate::profile::yes_no(line.as_bytes(), default) {
            return Ok(yes);
        }
    }
}
