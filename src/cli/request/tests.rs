//! What the command lines of real clients turn into.

use super::*;

fn parse(words: &[&str]) -> Result<EncfsRequest, UsageError> {
    EncfsRequest::from_words(
        std::iter::once("encfs")
            .chain(words.iter().copied())
            .map(OsString::from),
    )
}

fn mount(words: &[&str]) -> MountRequest {
    match parse(words) {
        Ok(EncfsRequest::Mount(request)) => *request,
        other => panic!("{words:?}: {other:?}"),
    }
}

fn refusal(words: &[&str]) -> UsageError {
    match parse(words) {
        Err(error) => error,
        Ok(request) => panic!("{words:?}: {request:?}"),
    }
}

#[test]
fn two_directories_are_a_mount_with_the_usual_options() {
    let request = mount(&["/raw", "/plain"]);
    assert_eq!(request.root, Path::new("/raw/"));
    assert_eq!(request.root.as_os_str(), "/raw/");
    assert_eq!(request.mount_point.as_os_str(), "/plain/");
    assert!(!request.foreground && !request.single_thread && !request.verbose);
    assert_eq!(request.profile, ProfileChoice::Ask);
    assert_eq!(request.words.kernel, ["default_permissions"]);
    assert_eq!(request.syslog_tag, "encfs");
}

#[test]
fn options_may_follow_the_directories() {
    // SiriKali
    let request = mount(&[
        "--stdinpass",
        "/raw",
        "/plain",
        "-o",
        "ro,fsname=encfs@/raw,subtype=encfs",
    ]);
    assert!(request.passwords.stdin && request.words.read_only());
    assert_eq!(request.words.fsname.as_deref(), Some("encfs@/raw"));
    // with its setting for a separator
    let request = mount(&[
        "--stdinpass",
        "/raw",
        "/plain",
        "--",
        "-o",
        "rw,subtype=encfs",
    ]);
    assert_eq!(request.words.subtype.as_deref(), Some("encfs"));
    // Plasma Vault
    let request = mount(&["-S", "--standard", "/raw", "/plain", "--nocache", "-v"]);
    assert_eq!(request.profile, ProfileChoice::Named(Profile::STANDARD));
    assert_eq!(request.words.attr_ttl, Some(Duration::ZERO));
    assert!(request.verbose);
    // NewBreeze
    assert!(mount(&["-S", "/raw", "/plain", "--public"]).public);
    // Cryptkeeper
    assert!(
        mount(&["-S", "/raw", "/plain", "--", "-o", "allow_other"])
            .words
            .allow_other
    );
}

#[test]
fn long_options_may_be_cut_short() {
    let request = mount(&["--stdin", "--extp=echo pw", "--para", "/raw", "/plain"]);
    assert!(request.passwords.stdin);
    assert_eq!(
        request.passwords.program.as_deref(),
        Some(OsStr::new("echo pw"))
    );
    assert_eq!(request.profile, ProfileChoice::Named(Profile::PARANOIA));
}

#[test]
fn the_last_profile_wins_and_repeats_are_harmless() {
    assert_eq!(
        mount(&["--standard", "--paranoia", "/r", "/m"]).profile,
        ProfileChoice::Named(Profile::PARANOIA)
    );
    assert_eq!(
        mount(&["--paranoia", "--standard", "/r", "/m"]).profile,
        ProfileChoice::Named(Profile::STANDARD)
    );
    assert_eq!(
        mount(&["--expert", "--standard", "/r", "/m"]).profile,
        ProfileChoice::Named(Profile::STANDARD)
    );
    assert!(mount(&["-f", "-f", "-v", "-v", "/r", "/m"]).foreground);
}

#[test]
fn a_profile_has_a_name() {
    for profile in Profile::ALL {
        let request = mount(&["--profile", profile.name(), "/r", "/m"]);
        assert_eq!(request.profile, ProfileChoice::Named(profile));
        assert!(request.examine && !request.compatible_writers);
    }
    let request = mount(&["--profile=auto", "--compatible", "--no-probe", "/r", "/m"]);
    assert_eq!(request.profile, ProfileChoice::Auto);
    assert!(!request.examine && request.compatible_writers);
    let last = mount(&["--profile", "storage", "--expert", "/r", "/m"]);
    assert_eq!(last.profile, ProfileChoice::Expert);
    let last = mount(&["--expert", "--profile", "storage", "/r", "/m"]);
    assert_eq!(last.profile, ProfileChoice::Named(Profile::STORAGE));
    assert!(matches!(
        parse(&["--profile", "list"]),
        Ok(EncfsRequest::Help(text)) if text.contains("storage-caseless")
    ));
    let UsageError::Words(words) = refusal(&["--profile", "fast", "/r", "/m"]) else {
        panic!("not told what there is");
    };
    assert!(
        words.contains("'fast'") && words.contains("storage-caseless"),
        "{words}"
    );
}

#[test]
fn prefixes_that_encfs_took_mean_its_options() {
    let request = mount(&["--co", "/config", "--ex", "cat pw", "--no-", "/r", "/m"]);
    assert_eq!(request.config.as_deref(), Some(Path::new("/config")));
    assert!(request.passwords.program.is_some());
    assert!(request.words.kernel.is_empty());
    let request = mount(&["--c=/config", "--e=cat pw", "/r", "/m"]);
    assert!(request.config.is_some() && request.passwords.program.is_some());
}

#[test]
fn words_for_fuse_are_read() {
    let request = mount(&["/r", "/m", "--", "-f", "-s", "-oro", "-o", "nosuid"]);
    assert!(request.foreground && request.single_thread);
    assert_eq!(
        request.words.kernel,
        ["ro", "nosuid", "default_permissions"]
    );
    let request = mount(&["--no-default-flags", "-d", "/r", "/m"]);
    assert!(request.words.kernel.is_empty());
    assert!(request.foreground && request.log_requests);
    assert!(matches!(
        refusal(&["/r", "/m", "--", "bogus"]),
        UsageError::Words(_)
    ));
}

#[test]
fn passwords_and_paths_are_bytes() {
    let root = OsString::from_vec(b"/raw\xff".to_vec());
    let words = [OsString::from("encfs"), root, OsString::from("/m")];
    match EncfsRequest::from_words(words) {
        Ok(EncfsRequest::Mount(request)) => {
            assert_eq!(request.root.as_os_str().as_bytes(), b"/raw\xff/");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn unmount_takes_one_directory_in_each_spelling() {
    for words in [
        &["-u", "/m"][..],
        &["/m", "-u"],
        &["--unmount", "/m"],
        &["--unmount=x", "/m"],
    ] {
        assert!(
            matches!(parse(words), Ok(EncfsRequest::Unmount(path)) if path == Path::new("/m")),
            "{words:?}"
        );
    }
    assert_eq!(refusal(&["-u"]), UsageError::UnmountDirectory);
    assert_eq!(refusal(&["-u", "/a", "/b"]), UsageError::UnmountDirectory);
}

#[test]
fn version_and_help_need_no_directories() {
    assert!(matches!(
        parse(&["--version"]),
        Ok(EncfsRequest::Version { verbose: false })
    ));
    assert!(matches!(
        parse(&["-v", "--version"]),
        Ok(EncfsRequest::Version { verbose: true })
    ));
    assert!(matches!(parse(&["-H"]), Ok(EncfsRequest::MountWordsHelp)));
    match parse(&["--help"]) {
        Ok(EncfsRequest::Help(text)) => assert!(text.contains("rsync -a")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn checks_come_in_order() {
    let cases: [(&[&str], UsageError); 10] = [
        (&[], UsageError::Nothing),
        (&["-f"], UsageError::MissingDirectory),
        (&["/raw"], UsageError::MissingDirectory),
        (&["raw", "/m"], UsageError::RelativePath("raw/".into())),
        (&["/raw", "m"], UsageError::RelativePath("m/".into())),
        (&["/m/raw", "/m"], UsageError::RootInsideMountPoint),
        (&["/m", "/m/"], UsageError::RootInsideMountPoint),
        (
            &["--delaymount", "/r", "/m"],
            UsageError::DelayWithoutOnDemand,
        ),
        (
            &["--ondemand", "/r", "/m"],
            UsageError::OnDemandWithoutProgram,
        ),
        (
            &["-o", "bogus", "/r", "/m"],
            BadWord::Unknown("bogus".into()).into(),
        ),
    ];
    for (words, expected) in cases {
        assert_eq!(refusal(words), expected, "{words:?}");
    }
    // inside the root is allowed, and names that only begin alike are different folders
    mount(&["/", "/m"]);
    mount(&["/mnt2", "/mnt"]);
    mount(&["-f", "raw", "m"]);
}

#[test]
fn the_last_of_the_two_reverse_options_decides() {
    for (words, direction, write) in [
        (&[][..], Direction::Forward, false),
        (&["--reverse"], Direction::Reverse, false),
        (&["--reversewrite"], Direction::Reverse, true),
        (&["--reverse", "--reversewrite"], Direction::Reverse, true),
        (&["--reversewrite", "--reverse"], Direction::Reverse, false),
        (&["--reverse", "--reverse"], Direction::Reverse, false),
    ] {
        let words: Vec<&str> = words.iter().copied().chain(["/r", "/m"]).collect();
        let request = mount(&words);
        assert_eq!(request.direction, direction, "{words:?}");
        assert_eq!(request.reverse_write, write, "{words:?}");
        assert!(!request.insecure);
    }
    assert!(mount(&["--insecure", "/r", "/m"]).insecure);
}

#[test]
fn an_unknown_option_is_named_as_getopt_names_it() {
    let error = refusal(&["--bogus", "/r", "/m"]);
    assert_eq!(error.to_string(), "unrecognized option '--bogus'");
    assert!(matches!(
        refusal(&["/r", "/m", "--extpass"]),
        UsageError::Words(_)
    ));
}

#[test]
fn idle_times_are_read_as_strtol_reads_them() {
    let never: [&[&str]; 5] = [
        &["-i0"],
        &["-i", "x"],
        &["-i -5"],
        &["--idle=0"],
        &["-i", "-1"],
    ];
    let five: [&[&str]; 5] = [
        &["-i5"],
        &["-i", "5"],
        &["-i 5"],
        &["--idle=5min"],
        &["--idle", "5"],
    ];
    for (words, minutes) in [(never, None), (five, Some(5))] {
        for idle in words {
            let words: Vec<&str> = idle.iter().copied().chain(["/r", "/m"]).collect();
            assert_eq!(mount(&words).idle_minutes, minutes, "{words:?}");
        }
    }
}

#[test]
fn the_definition_is_sound() {
    <EncfsArgs as clap::CommandFactory>::command().debug_assert();
}
