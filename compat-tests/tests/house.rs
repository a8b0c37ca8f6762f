//! The house stands as `docs/architecture.md` draws it: a module imports only from lower floors,
//! each external crate is let in at one place, no file is too long, source is ASCII.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// Modules by floor. A module may name only what is on a lower floor, and itself.
const FLOORS: &[(&str, u32)] = &[
    ("secret", 0),
    ("crypto", 1),
    ("raw", 1),
    ("term", 1),
    ("config", 2),
    ("config_xml", 2),
    ("nameio", 2),
    ("blockio", 2),
    ("probe", 2),
    ("volume", 3),
    ("profile", 3),
    ("fs", 4),
    ("check", 4),
    ("fuse", 5),
    ("cli", 6),
    ("mount", 6),
    ("ctl", 6),
    ("bin", 7),
];

/// The only imports on one floor.
const SIDEWAYS: &[(&str, &str)] = &[("config_xml", "config"), ("ctl", "cli"), ("mount", "cli")];

/// What architecture section 1 forbids though the floor would allow it.
const FORBIDDEN: &[(&str, &str)] = &[
    ("nameio", "raw::Dir"),
    ("nameio", "raw::File"),
    ("blockio", "raw::Dir"),
    ("crypto", "raw"),
];

/// Where each external crate may be named.
const CRATES: &[(&str, &[&str])] = &[
    ("fuser", &["fuse"]),
    ("rustix", &["raw", "term", "mount"]),
    ("nix", &["raw", "term", "mount"]),
    ("openssl", &["crypto"]),
    ("aes", &["crypto"]),
    ("blowfish", &["crypto"]),
    ("cbc", &["crypto"]),
    ("hmac", &["crypto"]),
    ("sha1", &["crypto"]),
    ("pbkdf2", &["crypto"]),
    ("xml", &["config_xml"]),
    // cli: names that are not UTF-8, in --json
    ("base64", &["config_xml", "cli"]),
    ("clap", &["cli"]),
    ("zeroize", &["secret"]),
    ("signal_hook", &["mount", "term", "ctl"]),
    ("indicatif", &["term"]),
    ("serde_json", &["cli", "ctl"]),
    ("tracing_subscriber", &["bin", "mount", "cli"]),
    ("tracing_log", &["bin", "mount", "cli"]),
    ("libc", &[]),
];

/// Lines that a source file may have.
const LONGEST: usize = 600;

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All Rust files below `folder` of the repository, by path from its top.
fn rust_files(folder: &str) -> Result<Vec<(PathBuf, String)>> {
    let mut found = Vec::new();
    let mut open = vec![PathBuf::from(folder)];
    while let Some(dir) = open.pop() {
        let full = top().join(&dir);
        for entry in std::fs::read_dir(&full).with_context(|| full.display().to_string())? {
            let entry = entry?;
            let path = dir.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push((path, std::fs::read_to_string(entry.path())?));
            }
        }
    }
    found.sort();
    ensure!(!found.is_empty(), "no source below {folder}");
    Ok(found)
}

/// The module that a file below `src` belongs to: `src/raw/dir.rs` and `src/raw.rs` to `raw`.
fn module_of(path: &Path) -> String {
    let first = path
        .components()
        .nth(1)
        .map(|part| part.as_os_str().to_string_lossy());
    first.unwrap_or_default().trim_end_matches(".rs").to_owned()
}

/// Files that are compiled for tests only may use what tests need.
fn is_test(path: &Path) -> bool {
    let parts = [
        "tests",
        "tests.rs",
        "testing.rs",
        "vectors.rs",
        "tree_tests.rs",
    ];
    path.iter()
        .any(|part| parts.iter().any(|test| part == *test))
}

/// Source without comments and without what stands in string and character literals, newlines
/// kept, so that what is left of a path is code.
fn code_of(source: &str) -> String {
    let mut code = String::new();
    let mut chars = source.chars().peekable();
    let mut last = ' ';
    while let Some(c) = chars.next() {
        match c {
            '/' if chars.peek() == Some(&'/') => {
                while chars.peek().is_some_and(|next| *next != '\n') {
                    chars.next();
                }
            }
            '/' if chars.peek() == Some(&'*') => {
                let mut before = ' ';
                for next in chars.by_ref() {
                    if next == '\n' {
                        code.push('\n');
                    }
                    if before == '*' && next == '/' {
                        break;
                    }
                    before = next;
                }
            }
            '"' => {
                let raw = last == 'r';
                while let Some(next) = chars.next() {
                    match next {
                        '\\' if !raw => {
                            chars.next();
                        }
                        '"' => break,
                        '\n' => code.push('\n'),
                        _ => {}
                    }
                }
                code.push_str("\"\"");
            }
            // A character literal, not a lifetime.
            '\'' if chars.peek() == Some(&'\\') => {
                chars.next();
                chars.next();
                for next in chars.by_ref() {
                    if next == '\'' {
                        break;
                    }
                }
            }
            '\'' if chars.clone().nth(1) == Some('\'') => {
                chars.next();
                chars.next();
            }
            _ => code.push(c),
        }
        last = c;
    }
    code
}

/// Paths below `prefix` (such as `crate::`) in `code`, groups in braces opened one level:
/// `use crate::{raw::Dir, secret}` gives `raw::Dir` and `secret`.
fn paths_after(code: &str, prefix: &str) -> Vec<String> {
    let path_end = |text: &str| {
        text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
            .unwrap_or(text.len())
    };
    let mut found = Vec::new();
    for (at, _) in code.match_indices(prefix) {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') {
            continue;
        }
        let rest = &code[at + prefix.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            found.push(rest[..path_end(rest)].to_owned());
            continue;
        };
        let mut depth = 1;
        let mut starts = vec![0];
        for (index, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => starts.push(index + 1),
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        for start in starts {
            let part = group[start..].trim_start();
            found.push(part[..path_end(part)].to_owned());
        }
    }
    found.retain(|path| !path.is_empty());
    found
}

fn floor(module: &str) -> Option<u32> {
    FLOORS
        .iter()
        .find(|(name, _)| *name == module)
        .map(|(_, floor)| *floor)
}

/// Why `module` may not name `path` (below `crate::`), if it may not.
fn objection(module: &str, path: &str) -> Option<String> {
    let target = path.split("::").next().unwrap_or_default();
    if target == module || target.chars().next().is_none_or(|c| c.is_uppercase()) {
        return None;
    }
    let Some(to) = floor(target) else {
        return Some(format!("`{target}` is no module of the house"));
    };
    let forbidden = |(from, what): &(&str, &str)| {
        *from == module && (path == *what || path.starts_with(&format!("{what}::")))
    };
    if FORBIDDEN.iter().any(forbidden) {
        return Some(format!("{module} never sees {path}"));
    }
    let from = floor(module)?;
    if to < from || SIDEWAYS.contains(&(module, target)) {
        return None;
    }
    Some(format!(
        "{module} (floor {from}) imports {target} (floor {to})"
    ))
}

#[test]
fn modules_import_only_from_lower_floors() -> Result<()> {
    let mut wrong = String::new();
    for (path, source) in rust_files("src")? {
        let module = module_of(&path);
        if module == "lib" {
            continue;
        }
        ensure!(
            floor(&module).is_some(),
            "{}: {module} has no floor",
            path.display()
        );
        let code = code_of(&source);
        let mut named = paths_after(&code, "crate::");
        named.extend(paths_after(&code, "encfs_rs::"));
        for name in named {
            if let Some(why) = objection(&module, &name) {
                writeln!(wrong, "{}: {why}", path.display())?;
            }
        }
    }
    ensure!(wrong.is_empty(), "\n{wrong}");
    Ok(())
}

#[test]
fn external_crates_are_let_in_at_one_place() -> Result<()> {
    let mut wrong = String::new();
    for (path, source) in rust_files("src")? {
        if is_test(&path) {
            continue;
        }
        let module = module_of(&path);
        let code = code_of(&source);
        for (name, places) in CRATES {
            if !places.contains(&&*module) && !paths_after(&code, &format!("{name}::")).is_empty() {
                writeln!(
                    wrong,
                    "{}: {name} is let in only in {places:?}",
                    path.display()
                )?;
            }
        }
    }
    ensure!(wrong.is_empty(), "\n{wrong}");
    Ok(())
}

#[test]
fn no_file_is_too_long_and_source_is_ascii() -> Result<()> {
    let mut wrong = String::new();
    for folder in ["src", "compat-tests/src", "compat-tests/tests"] {
        for (path, source) in rust_files(folder)? {
            let lines = source.lines().count();
            if lines > LONGEST {
                writeln!(
                    wrong,
                    "{}: {lines} lines, at most {LONGEST}",
                    path.display()
                )?;
            }
            for (number, line) in source.lines().enumerate() {
                if !line.is_ascii() {
                    writeln!(
                        wrong,
                        "{}:{}: not ASCII: {line}",
                        path.display(),
                        number + 1
                    )?;
                }
            }
        }
    }
    ensure!(wrong.is_empty(), "\n{wrong}");
    Ok(())
}

#[test]
fn the_reader_of_imports_sees_what_is_there() {
    let code = code_of(
        "use crate::{raw::{Dir, File}, secret};\n// crate::fuse\nlet x = \"crate::cli\";\n\
         let y = crate::nameio::Name::new('\"'); /* crate::mount\n */ crate::fs::go(b'\\'');",
    );
    let mut paths = paths_after(&code, "crate::");
    paths.sort();
    assert_eq!(paths, ["fs::go", "nameio::Name::new", "raw::", "secret"]);
    assert_eq!(paths_after("my_fuser::x fuser::Y", "fuser::"), ["Y"]);
}

#[test]
fn the_table_objects_to_what_it_should() {
    for (module, path) in [
        ("raw", "volume::Volume"),
        ("config", "config_xml::read"),
        ("crypto", "raw::Name"),
        ("nameio", "raw::Dir"),
        ("fs", "fuse"),
        ("volume", "nowhere::x"),
    ] {
        assert!(objection(module, path).is_some(), "{module} -> {path}");
    }
    for (module, path) in [
        ("volume", "raw::Dir"),
        ("config_xml", "config::VolumeConfig"),
        ("nameio", "raw::Name"),
        ("ctl", "cli::exit"),
        ("fs", "fs::tree::Tree"),
    ] {
        assert_eq!(objection(module, path), None, "{module} -> {path}");
    }
}
