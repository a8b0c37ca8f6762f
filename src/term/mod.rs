//! The terminal: questions, passwords without echo, names made safe to print.
//!
//! The one place below floor 6 that prints or prompts. Standard input is shared by every
//! question and by `--stdinpass`, so all of them read through one [`Console`]; it takes no
//! byte more than it needs, since a program started by `--extpass` inherits the rest.

mod console;
mod names;
mod password;
mod program;
mod progress;
mod signals;

pub use console::{Console, Rest};
pub use names::{printable, printable_name};
pub use password::{
    LIMIT_NEW, LIMIT_OPEN, PROMPT_NEW, PROMPT_OPEN, PROMPT_VERIFY, ask_password, keep_out_of_dumps,
    line_password,
};
pub use program::program_password;
pub use progress::{Progress, Steps};
pub use signals::Unbroken;
