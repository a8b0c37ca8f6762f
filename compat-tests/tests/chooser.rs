//! Choosing the settings of a new volume by what its storage does: what is recommended where, what is asked
//! and said, that nothing is left on storage where nothing was created, and that EncFS 1.9.5 opens what was.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use compat_tests::mounted::{Mounted, unmount_now, wait_until_unmounted};
use compat_tests::oracle::Program;
use compat_tests::pair::{first_few, in_parallel};
use compat_tests::rawfs::{Behaviour, Control, Op, Options, Prepared, RawFs, preset};
use compat_tests::run::{Finished, run};
use compat_tests::tree::{Look, Tree, differences, read};
use compat_tests::typist::Typist;
use compat_tests::volumes::{element, paranoia, standard};
use rustix::io::Errno;
use tempfile::TempDir;

const PASSWORD: &str = "chosen by a test";

/// Simulated storage with a folder that something is in, and a mount point.
struct Scene {
    // Unmounted before its folders go.
    storage: RawFs,
    folder: TempDir,
    before: Tree,
}

impl Scene {
    fn on(preset_name: &str) -> Result<Self> {
        let options = preset(preset_name).with_context(|| format!("no preset {preset_name}"))?;
        Self::with(&options)
    }

    fn with(options: &Options) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        for name in ["backing", "backing/root", "storage", "point", "check"] {
            fs::create_dir(folder.path().join(name))?;
        }
        fs::write(folder.path().join("backing/root/of somebody"), b"before")?;
        let storage = RawFs::mount(
            &folder.path().join("backing"),
            &folder.path().join("storage"),
            options,
        )?;
        let mut scene = Self {
            storage,
            folder,
            before: Tree::new(),
        };
        scene.before = read(&scene.backing())?;
        Ok(scene)
    }

    /// The root of the volume to be, on the simulated storage.
    fn root(&self) -> PathBuf {
        self.folder.path().join("storage/root")
    }

    /// The same behind the simulation.
    fn backing(&self) -> PathBuf {
        self.folder.path().join("backing/root")
    }

    fn point(&self) -> PathBuf {
        self.folder.path().join("point")
    }

    fn control(&self) -> &Control {
        self.storage.control()
    }

    /// Creates a volume without a terminal, or not; what is mounted is unmounted again.
    fn create(&self, options: &[&str], input: &str) -> Result<Finished> {
        let mut command = Program::EncfsRs.encfs()?;
        command
            .arg("-S")
            .args(options)
            .args([self.root(), self.point()]);
        let finished = run(&mut command, input.as_bytes())?;
        if finished.status.success() {
            let point = self.point().canonicalize()?;
            unmount_now(&point, true)?;
            wait_until_unmounted(&point)?;
        }
        Ok(finished)
    }

    /// A program at a terminal that would create a volume.
    fn at_terminal(&self, options: &[&str]) -> Result<Typist> {
        let mut command = Program::EncfsRs.encfs()?;
        command.args(options).args([self.root(), self.point()]);
        Typist::start(command)
    }

    /// Nothing was created, and nothing else is different. Folders have been written to.
    fn is_untouched(&self) -> Result<()> {
        let lines = differences(
            &self.before,
            &read(&self.backing())?,
            Look {
                mtimes: true,
                ..Look::ALL
            },
        );
        ensure!(lines.is_empty(), "left behind: {}", first_few(&lines));
        Ok(())
    }

    /// What EncFS 1.9.5 finds in the volume that was created, after it wrote to it; besides the configuration
    /// nothing was added.
    fn config(self) -> Result<String> {
        let Self {
            storage,
            folder,
            mut before,
        } = self;
        storage.unmount()?;
        let backing = folder.path().join("backing/root");
        let text = fs::read_to_string(backing.join(".encfs6.xml"))?;
        let mut seen = read(&backing)?;
        for tree in [&mut before, &mut seen] {
            tree.remove(b".encfs6.xml".as_slice());
        }
        let lines = differences(&before, &seen, Look::ALL);
        ensure!(lines.is_empty(), "left behind: {}", first_few(&lines));
        let check = folder.path().join("check");
        for (program, name) in [(Program::Encfs195, "theirs"), (Program::EncfsRs, "ours")] {
            let mount = Mounted::volume(program, &backing, &check, PASSWORD, &[])?;
            fs::write(check.join(name), name)?;
            mount.unmount()?;
            let mount = Mounted::volume(program.other(), &backing, &check, PASSWORD, &[])?;
            ensure!(fs::read(check.join(name))? == name.as_bytes());
            mount.unmount()?;
        }
        Ok(text)
    }
}

/// The profile that a configuration has, by what tells the profiles apart.
fn profile_of(config: &str) -> Result<String> {
    let value =
        |name| -> Result<String> { Ok(element(config, name)?.split_whitespace().collect()) };
    let naming = value("nameAlg")?;
    let names = ["block32", "block", "stream"]
        .into_iter()
        .find(|name| naming.contains(&format!("<name>nameio/{name}</name>")))
        .context("other names")?;
    let numbers = [
        "keySize",
        "blockSize",
        "uniqueIV",
        "externalIVChaining",
        "blockMACBytes",
    ]
    .map(value)
    .into_iter()
    .collect::<Result<Vec<_>>>()?;
    ensure!(value("chainedNameIV")? == "1" && value("allowHoles")? == "1");
    Ok(format!("{names} {}", numbers.join(" ")))
}

const STANDARD: &str = "block 192 1024 1 0 0";
const PARANOIA: &str = "block 256 1024 1 1 8";
const STORAGE: &str = "stream 256 4096 0 0 0";
const CASELESS: &str = "block32 192 1024 1 0 0";

#[test]
fn what_suits_the_storage_is_taken_and_encfs_opens_it() -> Result<()> {
    let cases = [
        ("clean", false, STANDARD),
        ("clean", true, STANDARD),
        ("omnifs", false, STANDARD),
        ("omnifs", true, STORAGE),
        ("rclone-off", false, STANDARD),
        ("rclone-off", true, STORAGE),
        ("s3fs", false, STANDARD),
        ("s3fs", true, STANDARD),
        ("sshfs", true, STANDARD),
        ("fat", false, CASELESS),
        ("fat", true, CASELESS),
    ];
    let failures = in_parallel(&cases, |&(storage, writers, expected)| {
        let about = format!("{storage}, EncFS 1.9 writes too: {writers}");
        let scene = Scene::on(storage)?;
        let mut options = vec!["--profile", "auto"];
        options.extend(writers.then_some("--compatible-writers"));
        let created = scene
            .create(&options, &format!("{PASSWORD}\n"))?
            .success()
            .context(about.clone())?;
        let said = created.out();
        ensure!(said.contains("What follows"), "{about}: no report: {said}");
        // Silence about the other program only where it has no say.
        let asks_for_word = said.contains("--compatible-writers");
        let matters = !writers && ["omnifs", "rclone-off"].contains(&storage);
        ensure!(asks_for_word == matters, "{about}: {said}");
        let config = scene.config().context(about.clone())?;
        let profile = profile_of(&config)?;
        ensure!(profile == expected, "{about}: {profile}, {said}");
        Ok(())
    });
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}

#[test]
fn the_plain_menu_takes_what_is_recommended_too() -> Result<()> {
    let scene = Scene::on("fat")?;
    let created = scene.create(&[], &format!("r\n{PASSWORD}\n"))?.success()?;
    ensure!(created.out().contains("Profile standard-caseless selected"));
    assert_eq!(profile_of(&scene.config()?)?, CASELESS);
    Ok(())
}

#[test]
fn the_expert_is_asked_told_and_obeyed() -> Result<()> {
    let cases = [
        // The recommended profile, by an empty line.
        ("y\n\ny\n", STORAGE),
        ("n\n\n\n", STANDARD),
        // By number and by name.
        ("y\n2\ny\n", STANDARD),
        ("n\nparanoia\nyes\n", PARANOIA),
    ];
    let failures = in_parallel(&cases, |&(answers, expected)| {
        let scene = Scene::on("omnifs")?;
        let input = format!("{answers}{PASSWORD}\n");
        let created = scene.create(&["--expert"], &input)?.success()?;
        let said = created.out();
        let writers = answers.starts_with('y');
        let first = if writers {
            "1  storage "
        } else {
            "1  standard "
        };
        for piece in [
            "What follows",
            "Will EncFS 1.9, the C++ program, write to this volume as well?",
            first,
            "(recommended)",
            "Costs:",
            "c  every question, one by one",
            "?> [1] ",
            "Configuration finished",
            "Create it? [y]/n: ",
        ] {
            ensure!(
                said.contains(piece),
                "{answers:?}: {piece:?} is not in {said}"
            );
        }
        let risky = said.contains("ignores\n                    shortening to any size");
        ensure!(risky == writers, "{answers:?}: {said}");
        let profile = profile_of(&scene.config()?)?;
        ensure!(profile == expected, "{answers:?}: {profile}");
        Ok(())
    });
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}

#[test]
fn a_warning_stands_under_the_answer_that_is_a_risk_here() -> Result<()> {
    let scene = Scene::on("omnifs")?;
    // Cipher, key, blocks, names, chaining as recommended; then a header.
    let answers = format!("c\n\n\n\n\n\ny\n\n\n\n\ny\n{PASSWORD}\n");
    let options = ["--expert", "--compatible-writers"];
    let created = scene.create(&options, &answers)?.success()?;
    let said = created.out();
    ensure!(!said.contains("Will EncFS 1.9"), "it was said: {said}");
    let (_, after) = said
        .split_once("Enable per-file initialization vectors?")
        .context("not asked")?;
    let (answered, rest) = after
        .split_once("Enable filename to IV header chaining?")
        .context("not asked")?;
    ensure!(
        answered.contains("y/[n]: \n  With EncFS 1.9 writing too, rewritten files would end"),
        "{answered}"
    );
    ensure!(!rest.contains("would end in garbage"), "once: {rest}");
    assert_eq!(profile_of(&scene.config()?)?, "stream 256 4096 1 0 0");

    let scene = Scene::on("fat")?;
    let created = scene.create(&["--expert"], "c\n\n\n\n4\n\n\n\n\n\n\nn\n")?;
    ensure!(created.code() == Some(1), "{created}");
    ensure!(
        created
            .out()
            .contains("choice: \n  Files would overwrite each other"),
        "{created}"
    );
    scene.is_untouched()
}

#[test]
fn nothing_is_left_where_nothing_was_created() -> Result<()> {
    let cases = [
        (
            &["--expert"][..],
            "1\nn\n",
            "nothing was created, as you wished",
        ),
        (&["--expert"], "1\n", "the input ended"),
        (&["--expert"], "", "the input ended"),
        (&["--expert"], "c\n\n\n\n\n", "the input ended"),
        (&["--expert"], "1\ny\n", "password"),
        (&["--profile", "auto"], "", "password"),
        (
            &["--expert", "--no-probe"],
            "1\nn\n",
            "nothing was created, as you wished",
        ),
    ];
    let failures = in_parallel(&cases, |&(options, input, reason)| {
        let scene = Scene::on("clean")?;
        scene.control().take_counts();
        let refused = scene.create(options, input)?;
        let about = format!("{options:?} {input:?}");
        ensure!(refused.code() == Some(1), "{about}: {refused}");
        ensure!(refused.err().contains(reason), "{about}: {refused}");
        let changes = scene.control().take_counts().changes();
        let examined = !options.contains(&"--no-probe");
        ensure!((changes > 0) == examined, "{about}: {changes} changes");
        scene.is_untouched().context(about)
    });
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}

#[test]
fn an_interrupt_leaves_nothing() -> Result<()> {
    // 2: the number of INT.
    let scene = Scene::on("clean")?;
    let held = scene.control().hold(Op::Symlink);
    let mut typist = scene.at_terminal(&["--expert"])?;
    typist.expect("Examining the storage at ")?;
    held.wait_for(1)?;
    typist.type_keys("\x03")?;
    // The terminal has taken it when it shows it.
    typist.expect("^C")?;
    drop(held);
    assert_eq!(typist.status()?, 128 + 2, "in the examination");
    scene.is_untouched()?;

    for (last, keys) in [
        ("?> [1] ", ""),
        ("Create it? [y]/n: ", "\n"),
        ("New Encfs Password: ", "\n\n"),
    ] {
        let scene = Scene::on("clean")?;
        let mut typist = scene.at_terminal(&["--expert"])?;
        for (question, key) in ["?> [1] ", "Create it? [y]/n: "]
            .into_iter()
            .zip(keys.chars())
        {
            typist.expect(question)?;
            typist.type_keys(&key.to_string())?;
        }
        typist.expect(last)?;
        typist.type_keys("\x03")?;
        assert_eq!(typist.status()?, 128 + 2, "at {last:?}");
        scene.is_untouched()?;
    }
    Ok(())
}

#[test]
fn a_volume_is_chosen_at_a_terminal() -> Result<()> {
    let scene = Scene::on("fat")?;
    let mut typist = scene.at_terminal(&["--expert"])?;
    let report = typist.expect("What follows")?;
    ensure!(
        report.contains("upper and lower case are the same"),
        "{report}"
    );
    let menu = typist.expect("?> [1] ")?;
    ensure!(menu.contains("1  standard-caseless "), "{menu}");
    for line in menu.lines() {
        ensure!(line.trim_end().len() <= 80, "too wide: {line:?}");
    }
    typist.type_keys("storage-caseless\n")?;
    typist.expect("Configuration finished")?;
    typist.expect("Create it? [y]/n: ")?;
    typist.type_keys("\n")?;
    for prompt in ["New Encfs Password: ", "Verify Encfs Password: "] {
        typist.expect(prompt)?;
        typist.type_keys(&format!("{PASSWORD}\n"))?;
    }
    assert_eq!(typist.status()?, 0);
    let point = scene.point().canonicalize()?;
    unmount_now(&point, true)?;
    wait_until_unmounted(&point)?;
    assert_eq!(profile_of(&scene.config()?)?, "block32 256 4096 0 0 0");
    Ok(())
}

#[test]
fn storage_that_cannot_be_examined_is_told_and_not_left_dirty_in_silence() -> Result<()> {
    let refusing = |op, errno| Options {
        behaviour: Behaviour::default().refusing(&[op], errno),
        ..Options::default()
    };
    let scene = Scene::with(&refusing(Op::Mkdir, Errno::ROFS))?;
    let refused = scene.create(&["--profile", "auto"], &format!("{PASSWORD}\n"))?;
    ensure!(refused.code() == Some(1), "{refused}");
    ensure!(
        refused.err().contains("the storage cannot be examined"),
        "{refused}"
    );
    ensure!(
        refused.err().contains("--no-probe goes on without"),
        "{refused}"
    );
    scene.is_untouched()?;

    // Its folder cannot go: that is said, and where it is.
    let scene = Scene::with(&refusing(Op::Rmdir, Errno::PERM))?;
    let refused = scene.create(&["--expert"], "\nn\n")?;
    ensure!(refused.err().contains("could not be removed"), "{refused}");
    let left = read(&scene.backing())?;
    let folder = left
        .keys()
        .find(|path| !scene.before.contains_key(*path))
        .context("nothing was left")?;
    let folder = String::from_utf8_lossy(folder).into_owned();
    ensure!(
        refused.err().contains(&folder),
        "{folder} is not named: {refused}"
    );
    Ok(())
}

/// Mounts what is on storage of this type, and returns what was said.
fn said_when_mounted(prepared: &Prepared, kind: &str, options: &[&str]) -> Result<String> {
    let stage = prepared.stage(&Options {
        subtype: Some(kind.to_owned()),
        ..Options::default()
    })?;
    let point = tempfile::tempdir()?;
    let password = compat_tests::volumes::PASSWORD;
    let mut command = Program::EncfsRs.encfs()?;
    command
        .arg("-S")
        .args(options)
        .args([stage.raw().as_path(), Path::new(point.path())]);
    let mounted = run(&mut command, format!("{password}\n").as_bytes())?.success()?;
    unmount_now(&point.path().canonicalize()?, true)?;
    wait_until_unmounted(&point.path().canonicalize()?)?;
    ensure!(mounted.out().is_empty(), "{mounted}");
    Ok(mounted.err())
}

#[test]
fn a_mount_says_in_one_line_what_does_not_fit_and_else_nothing() -> Result<()> {
    let standard = Prepared::new(&standard(), |_| Ok(()))?;
    let paranoia = Prepared::new(&paranoia(), |_| Ok(()))?;
    let line = "encfs-rs: fuse.s3fs: Each rename writes the header of the file anew, and this storage then \
                sends the whole file once more.\n";
    assert_eq!(said_when_mounted(&paranoia, "s3fs", &[])?, line);
    // Settings mean nothing to a volume that exists.
    let auto = ["--profile", "auto", "--compatible-writers"];
    assert_eq!(said_when_mounted(&paranoia, "s3fs", &auto)?, line);
    // So does making one.
    let storage = Options {
        subtype: Some("s3fs".to_owned()),
        ..Options::default()
    };
    let created = Scene::with(&storage)?
        .create(&["--paranoia"], &format!("{PASSWORD}\n"))?
        .success()?;
    assert_eq!(created.err(), line);
    for (prepared, kind, options) in [
        (&paranoia, "s3fs", &["-o", "ro"][..]),
        (&paranoia, "sshfs", &[]),
        (&standard, "s3fs", &[]),
        (&standard, "rclone", &["--expert"]),
    ] {
        assert_eq!(
            said_when_mounted(prepared, kind, options)?,
            "",
            "{kind} {options:?}"
        );
    }
    Ok(())
}
