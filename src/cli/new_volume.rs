//! What is shown and asked before a volume is created: menu, settings, what to know.
//!
//! `Please choose from one of the following options:`, `configuration mode`, `?> ` and
//! `Configuration finished` are *protocol*.

use std::path::Path;

use super::chooser;
use super::description;
use super::dialogue::DialogueError;
use super::expert_dialogue;
use super::request::ProfileChoice;
use crate::config::NewVolume;
use crate::profile::{MenuAnswer, Profile, Situation};
use crate::term::Console;

const MENU: &str = "\
Please choose from one of the following options:
 enter \"x\" for expert configuration mode: every setting by a question,
 enter \"p\" for paranoia mode: every block authenticated; slower, no hard links,
 enter \"r\" for what is recommended for this storage, which is examined,
 anything else, or an empty line, selects standard mode.
?> ";

const NO_HARD_LINKS: &str = "
This volume cannot have hard links, since the header of each file depends on
its name. Programs that need them (some mail programs) will not work in it.
To choose other settings, press Ctrl-C now and start again.
";

const CREATE_IT: &str = "
Create it? ";

const KEEP_CONFIGURATION: &str = "
The encrypted view of this folder does not list its .encfs6.xml, and without that
file a copy of the view cannot be opened: keep a copy of it as well.
";

const ABOUT_PASSWORD: &str = "
Now choose a password. Without it nobody can get at the files, neither you nor
anybody else: there is no way around it. encfsctl-rs passwd changes it later.

";

/// What is asked for of a new volume.
#[derive(Debug, Clone, Copy)]
pub struct Creation<'a> {
    /// Folder for the raw files.
    pub root: &'a Path,
    /// How its settings are chosen.
    pub choice: ProfileChoice,
    /// What else the command line demands.
    pub situation: Situation,
    /// The storage is examined where that decides something.
    pub examine: bool,
    /// EncFS 1.9 will write to the volume as well.
    pub compatible_writers: bool,
    /// A marker line is put before the menu's answer is read.
    pub annotate: bool,
}

/// Leads through the choice of settings.
///
/// # Errors
/// [`DialogueError`]; nothing was created then.
pub fn choose(console: &mut Console, creation: &Creation<'_>) -> Result<NewVolume, DialogueError> {
    let situation = creation.situation;
    console.say("Creating new encrypted volume.\n");
    let answer = match creation.choice {
        ProfileChoice::Named(profile) => MenuAnswer::Take(profile),
        ProfileChoice::Auto => MenuAnswer::Recommended,
        ProfileChoice::Ask => menu(console, creation.annotate)?,
        ProfileChoice::Expert => {
            let settings = chooser::by_menu(console, creation)?;
            summarize(console, &settings, situation);
            if !chooser::yes_no(console, CREATE_IT, true)? {
                return Err(DialogueError::Declined);
            }
            console.say(ABOUT_PASSWORD);
            return Ok(settings);
        }
    };
    let settings = match answer {
        MenuAnswer::Take(profile) => {
            console.say(&selected(profile));
            profile.settings(situation)?
        }
        MenuAnswer::EveryQuestion => {
            console.say(chooser::EVERY_QUESTION);
            expert_dialogue::ask(console, situation)?
        }
        MenuAnswer::Recommended => chooser::by_itself(console, creation)?,
    };
    summarize(console, &settings, situation);
    console.say(ABOUT_PASSWORD);
    Ok(settings)
}

/// What was chosen. For standard and paranoia in the words of EncFS.
fn selected(profile: Profile) -> String {
    match profile {
        Profile::STANDARD => "Standard configuration selected.\n".to_owned(),
        Profile::PARANOIA => "Paranoia configuration selected.\n".to_owned(),
        other => format!("Profile {} selected.\n", other.name()),
    }
}

fn summarize(console: &mut Console, settings: &NewVolume, situation: Situation) {
    console.say(
        "\nConfiguration finished. The filesystem to be created has the following properties:\n",
    );
    console.say(&description::of_new(settings));
    if settings.external_iv {
        console.say(NO_HARD_LINKS);
    }
    if situation.reverse {
        console.say(KEEP_CONFIGURATION);
    }
}

fn menu(console: &mut Console, annotate: bool) -> Result<MenuAnswer, DialogueError> {
    console.say(MENU);
    if annotate {
        console.complain("$PROMPT$ config_option\n");
    }
    let answer = console.answer()?;
    console.say("\n");
    Ok(MenuAnswer::of_line(answer.unwrap_or_default().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::super::dialogue::tests::console;
    use super::*;

    fn chosen(input: &str, choice: ProfileChoice) -> (NewVolume, String, String) {
        let (mut console, out, err) = console(input);
        let creation = Creation {
            root: Path::new("/"),
            choice,
            situation: Situation::default(),
            examine: false,
            compatible_writers: false,
            annotate: true,
        };
        let settings = choose(&mut console, &creation).unwrap();
        (settings, out.text(), err.text())
    }

    #[test]
    fn the_first_letter_of_the_answer_decides() {
        for (input, key_bits) in [
            ("p\n", 256),
            ("\n", 192),
            ("", 192),
            ("s\n", 192),
            ("P\n", 192),
        ] {
            let (settings, out, err) = chosen(input, ProfileChoice::Ask);
            assert_eq!(settings.key_bits, key_bits, "{input:?}");
            assert!(out.contains("expert configuration mode"));
            assert!(out.contains("standard mode.\n?> "));
            assert_eq!(err, "$PROMPT$ config_option\n");
        }
        assert_eq!(
            chosen("xyz\n2\n\n\n1\n", ProfileChoice::Ask).0.cipher.name,
            "ssl/blowfish"
        );
    }

    #[test]
    fn an_option_answers_the_menu() {
        let (settings, out, err) = chosen("", ProfileChoice::Named(Profile::PARANOIA));
        assert_eq!(settings.mac_bytes, 8);
        assert!(!out.contains("?> "));
        assert!(out.contains("\nConfiguration finished"));
        assert!(out.contains("cannot have hard links"));
        assert_eq!(err, "");
        let (_, out, _) = chosen("", ProfileChoice::Named(Profile::STANDARD));
        assert!(!out.contains("cannot have hard links"));
    }
}
