//! What is shown and asked before a volume is created: menu, settings, what to know.
//!
//! `Please choose from one of the following options:`, `configuration mode`, `?> ` and
//! `Configuration finished` are *protocol*.

use super::description;
use super::dialogue::DialogueError;
use super::expert_dialogue;
use super::request::ProfileChoice;
use crate::config::NewVolume;
use crate::profile::{Profile, Situation, paranoia, standard};
use crate::term::Console;

const MENU: &str = "\
Please choose from one of the following options:
 enter \"x\" for expert configuration mode: every setting by a question,
 enter \"p\" for paranoia mode: every block authenticated; slower, no hard links,
 anything else, or an empty line, selects standard mode.
?> ";

const NO_HARD_LINKS: &str = "
This volume cannot have hard links, since the header of each file depends on
its name. Programs that need them (some mail programs) will not work in it.
To choose other settings, press Ctrl-C now and start again.
";

const KEEP_CONFIGURATION: &str = "
The encrypted view of this folder does not list its .encfs6.xml, and without that
file a copy of the view cannot be opened: keep a copy of it as well.
";

const ABOUT_PASSWORD: &str = "
Now choose a password. Without it nobody can get at the files, neither you nor
anybody else: there is no way around it. encfsctl-rs passwd changes it later.

";

/// Leads through the choice of settings; `annotate` puts a marker line before the menu's
/// answer is read.
///
/// # Errors
/// [`DialogueError`]; nothing was created then.
pub fn choose(
    console: &mut Console,
    choice: ProfileChoice,
    situation: Situation,
    annotate: bool,
) -> Result<NewVolume, DialogueError> {
    console.say("Creating new encrypted volume.\n");
    let profile = match choice {
        ProfileChoice::Standard => Profile::Standard,
        ProfileChoice::Paranoia => Profile::Paranoia,
        ProfileChoice::Expert => Profile::Expert,
        ProfileChoice::Ask => menu(console, annotate)?,
    };
    let settings = match profile {
        Profile::Standard => {
            console.say("Standard configuration selected.\n");
            standard(situation)?
        }
        Profile::Paranoia => {
            console.say("Paranoia configuration selected.\n");
            paranoia(situation)?
        }
        Profile::Expert => {
            console.say("Manual configuration mode selected.\n");
            expert_dialogue::ask(console, situation)?
        }
    };
    console.say(
        "\nConfiguration finished. The filesystem to be created has the following properties:\n",
    );
    console.say(&description::of_new(&settings));
    if settings.external_iv {
        console.say(NO_HARD_LINKS);
    }
    if situation.reverse {
        console.say(KEEP_CONFIGURATION);
    }
    console.say(ABOUT_PASSWORD);
    Ok(settings)
}

fn menu(console: &mut Console, annotate: bool) -> Result<Profile, DialogueError> {
    console.say(MENU);
    if annotate {
        console.complain("$PROMPT$ config_option\n");
    }
    let answer = console.answer()?;
    console.say("\n");
    Ok(Profile::of_answer(answer.unwrap_or_default().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::super::dialogue::tests::console;
    use super::*;

    fn chosen(input: &str, choice: ProfileChoice) -> (NewVolume, String, String) {
        let (mut console, out, err) = console(input);
        let settings = choose(&mut console, choice, Situation::default(), true).unwrap();
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
        let (settings, out, err) = chosen("", ProfileChoice::Paranoia);
        assert_eq!(settings.mac_bytes, 8);
        assert!(!out.contains("?> "));
        assert!(out.contains("\nConfiguration finished"));
        assert!(out.contains("cannot have hard links"));
        assert_eq!(err, "");
        let (_, out, _) = chosen("", ProfileChoice::Standard);
        assert!(!out.contains("cannot have hard links"));
    }
}
