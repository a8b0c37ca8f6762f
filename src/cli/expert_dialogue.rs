//! The expert's questions, asked.
//!
//! Which question comes next and what counts as an answer is data ([`Expert`]); here are the
//! words. Expect scripts and graphical front ends match pieces of them and feed answers
//! through pipes: the pieces named in the tests below stay byte for byte, and each question
//! ends in its protocol piece with the answer on the same line.

use super::dialogue::DialogueError;
use crate::config::NewVolume;
use crate::crypto::Algorithm;
use crate::profile::{Expert, NamingChoice, Note, Question, Reply, Situation, YesNo};
use crate::term::Console;

/// Asks every question as EncFS does and gives the settings.
///
/// # Errors
/// [`DialogueError`]
pub(super) fn ask(console: &mut Console, situation: Situation) -> Result<NewVolume, DialogueError> {
    ask_from(console, Expert::new(situation)?, &|_, _| Vec::new())
}

/// Asks every question of `expert`. After an answer `warnings` is given its question and the settings so far;
/// what it returns is said under the answer.
///
/// # Errors
/// [`DialogueError`]
pub(super) fn ask_from(
    console: &mut Console,
    mut expert: Expert,
    warnings: &dyn Fn(Question, &NewVolume) -> Vec<String>,
) -> Result<NewVolume, DialogueError> {
    while let Some(question) = expert.question() {
        console.say(&words(question));
        loop {
            console.say(&prompt(question));
            let line = console.answer()?;
            match expert.answer(line.as_deref().map(str::as_bytes)) {
                Reply::Taken(notes) => {
                    console.say("\n");
                    for warning in warnings(question, expert.so_far()) {
                        console.say(&format!("{warning}\n"));
                    }
                    for note in notes {
                        console.say(&format!("{}\n\n", note_words(note)));
                    }
                    break;
                }
                Reply::InvalidChoice => {
                    console.complain("Invalid selection.\n");
                    console.say(&words(question));
                }
                Reply::YesOrNo => {}
                Reply::InputEnded => return Err(DialogueError::EndOfInput),
            }
        }
    }
    expert.finish().ok_or(DialogueError::EndOfInput)
}

/// The question, up to its prompt.
fn words(question: Question) -> String {
    match question {
        Question::Cipher { choices, default } => {
            let mut text = "The following cipher algorithms are available:\n".to_owned();
            for (index, algorithm) in choices.iter().enumerate() {
                text.push_str(&format!("{}. {}\n", index + 1, cipher_words(*algorithm)));
            }
            text + &list_default(choices, default) + "\n"
        }
        Question::KeySize { sizes, default } => {
            let sizes: Vec<String> = sizes.iter().map(u32::to_string).collect();
            let sizes = sizes.join(", ");
            format!(
                "How many bits of key? This cipher takes {sizes}.\n\
                 An empty line means {default}.\n"
            )
        }
        Question::BlockSize {
            least,
            most,
            step,
            default,
        } => format!(
            "How many bytes in a block? {least} to {most} in steps of {step}.\n\
             Large blocks suit large files, small ones many changes inside files.\n\
             An empty line means {default}.\n"
        ),
        Question::Naming { choices, default } => {
            let mut text = "The following filename encoding algorithms are available:\n".to_owned();
            for (index, naming) in choices.iter().enumerate() {
                text.push_str(&format!("{}. {}\n", index + 1, naming_words(*naming)));
            }
            text + &list_default(choices, default) + "\n"
        }
        Question::RandomBytes { .. } => "\
            Add random bytes to each block header?\n\
            With them, blocks with equal contents have different authentication codes.\n\
            Per-file initialization vectors do most of the same for less.\n"
            .to_owned(),
        Question::YesNo { about, .. } => yes_no_words(about).to_owned(),
    }
}

/// What an empty line means in a list, if it means something.
fn list_default<T: PartialEq>(choices: &[T], default: Option<T>) -> String {
    let position = default.and_then(|default| choices.iter().position(|choice| *choice == default));
    position.map_or_else(String::new, |index| {
        format!("An empty line means {}.\n", index + 1)
    })
}

/// The last piece of a question; the answer follows on its line.
fn prompt(question: Question) -> String {
    match question {
        Question::Cipher { .. } | Question::Naming { .. } => {
            "Enter the number corresponding to your choice: ".to_owned()
        }
        Question::KeySize { .. } => "Selected key size: ".to_owned(),
        Question::BlockSize { .. } => "filesystem block size: ".to_owned(),
        Question::RandomBytes { most } => {
            format!("Select a number of bytes, from 0 (no random bytes) to {most}: ")
        }
        Question::YesNo { default: true, .. } => "[y]/n: ".to_owned(),
        Question::YesNo { default: false, .. } => "y/[n]: ".to_owned(),
    }
}

fn cipher_words(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Aes => "AES : 16 byte block cipher, fast where the processor helps",
        Algorithm::Blowfish => "Blowfish : 8 byte block cipher, for old volumes' sake",
        Algorithm::Camellia => "CAMELLIA : 16 byte block cipher, EncFS 1.9.3 and later only",
        Algorithm::Null => "Null : no encryption",
    }
}

fn naming_words(naming: NamingChoice) -> &'static str {
    match naming {
        NamingChoice::Block => "Block : hides the length of names, up to a cipher block",
        NamingChoice::Block32 => "Block32 : the same, for storage that takes A for a; longer names",
        NamingChoice::Null => "Null : names are not encrypted",
        NamingChoice::Stream => "Stream : shortest names; their length shows",
    }
}

fn yes_no_words(about: YesNo) -> &'static str {
    match about {
        YesNo::PlainData => {
            "Leave the contents of files unencrypted, and encrypt only names?\n\
             Whoever reads the storage then reads the files.\n"
        }
        YesNo::NameChaining => {
            "Enable filename initialization vector chaining?\n\
             The encrypted form of a name then depends on the whole path, so equal names in\n\
             two folders look different. Renaming a folder renames everything below it.\n"
        }
        YesNo::UniqueIv => {
            "Enable per-file initialization vectors?\n\
             Each file gets a header of 8 bytes, and equal contents of two files look different.\n"
        }
        YesNo::ExternalIv => {
            "Enable filename to IV header chaining?\n\
             A file that somebody moves or swaps in the storage then cannot be read any more.\n\
             Hard links are not possible, and renaming rewrites the headers of files.\n"
        }
        YesNo::BlockMac => {
            "Enable block authentication code headers\n\
             on every block of a file? Changes and damage in the storage are then noticed,\n\
             and give a read error instead of wrong data. Costs 8 bytes per block and time.\n"
        }
        YesNo::Holes => {
            "Enable file-hole pass-through?\n\
             Parts of a file that were never written then take no space in the storage either.\n"
        }
    }
}

fn note_words(note: Note) -> String {
    match note {
        Note::KeySize(bits) => format!("Using key size of {bits} bits"),
        Note::BlockSize(bytes) => format!("Using filesystem block size of {bytes} bytes"),
        Note::ReverseLimits => {
            "In reverse mode names and headers are not chained, and blocks have no codes."
                .to_owned()
        }
        Note::NoExternalIv => "Filename to IV header chaining stays off: it needs both kinds of\n\
             initialization vectors above."
            .to_owned(),
        Note::MacsRequired => {
            "Block authentication code headers are on (--require-macs).".to_owned()
        }
        Note::ReverseReadOnly => {
            "With per-file initialization vectors a reverse mount is read-only.".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::dialogue::tests::console;
    use super::*;

    /// What encfsgui's expect script waits for, in order.
    const PIECES: [&str; 20] = [
        "The following cipher algorithms are available",
        "Enter the number corresponding to your choice: ",
        "Selected key size: ",
        "filesystem block size: ",
        "The following filename encoding algorithms are available",
        "1. Block : ",
        "Enter the number corresponding to your choice: ",
        "Enable filename initialization vector chaining?",
        "[y]/n: ",
        "Enable per-file initialization vectors?",
        "[y]/n: ",
        "Enable filename to IV header chaining?",
        "y/[n]: ",
        "Enable block authentication code headers",
        "y/[n]: ",
        "Add random bytes to each block header",
        "Select a number of bytes, from 0 (no random bytes) to 8: ",
        "Enable file-hole pass-through?",
        "[y]/n: ",
        "\n",
    ];

    #[test]
    fn a_whole_dialogue_has_every_protocol_piece_in_order() {
        let (mut console, out, err) = console("1\n256\n1024\n3\ny\ny\ny\ny\n8\ny\nsecret\n");
        let settings = ask(&mut console, Situation::default()).unwrap();
        assert_eq!((settings.key_bits, settings.rand_bytes), (256, 8));
        assert_eq!(settings.naming.name, "nameio/null");
        let text = out.text();
        let mut rest = text.as_str();
        for piece in PIECES {
            let at = rest
                .find(piece)
                .unwrap_or_else(|| panic!("{piece:?} not in {rest:?}"));
            rest = &rest[at + piece.len()..];
        }
        assert_eq!(err.text(), "");
        // the password line is still there
        assert_eq!(console.answer().unwrap().as_deref(), Some("secret"));
    }

    #[test]
    fn a_wrong_choice_shows_the_list_again_and_a_wrong_yes_only_the_prompt() {
        let (mut console, out, err) = console("9\n2\n\n\n4\nmaybe\n");
        let settings = ask(&mut console, Situation::default()).unwrap();
        assert_eq!(settings.cipher.name, "ssl/blowfish");
        assert_eq!(err.text(), "Invalid selection.\n");
        let text = out.text();
        assert_eq!(text.matches("cipher algorithms are available").count(), 2);
        assert_eq!(text.matches("vector chaining?").count(), 1);
        assert!(text.contains("[y]/n: [y]/n: "), "{text}");
    }

    #[test]
    fn the_end_of_input_ends_it() {
        let (mut console, ..) = console("1\n\n\n");
        let ended = ask(&mut console, Situation::default());
        assert!(matches!(ended, Err(DialogueError::EndOfInput)));
    }
}
