//! What a daemon writes to the system log: raw names only.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use compat_tests::oracle::Program;
use compat_tests::private::Private;

/// Every regular file is cut to less than its header: each look at one is an error worth a warning.
const SCRIPT: &str = r#"
own_dev
ln -s "$DIR/log.socket" /dev/log
mkfifo said
"$ENCFS" $OPTIONS --extpass="cat '$PW'" "$RAW" "$MNT"
ls "$MNT" >names
find "$RAW" -type f ! -name '.encfs*' -exec truncate -s 3 {} +
# attributes and names are older than a second by then
ls -l "$MNT" >/dev/null 2>&1 || echo "some cannot be seen"
cat "$MNT/size-1" 2>/dev/null || echo "and not read"
umount "$MNT"
# until the test has read the last line
cat said
"#;

fn logged(options: &str) -> Result<(Vec<String>, Vec<String>)> {
    let private = Private::new()?;
    let log = UnixDatagram::bind(private.dir().join("log.socket"))?;
    log.set_read_timeout(Some(Duration::from_secs(60)))?;
    let said = private.dir().join("said");
    let reader = std::thread::spawn(move || -> Result<Vec<String>> {
        let mut records = Vec::new();
        let mut bytes = [0; 8192];
        loop {
            let len = log
                .recv(&mut bytes)
                .context("the log never tells the end")?;
            let record = String::from_utf8_lossy(&bytes[..len]).into_owned();
            let last = record.contains("Filesystem unmounted");
            records.push(record);
            if last {
                std::fs::write(&said, "")?;
                return Ok(records);
            }
        }
    });
    let script = SCRIPT.replace("$OPTIONS", options);
    let finished = private.run(Program::EncfsRs, &script)?.success()?;
    ensure!(
        finished.out() == "some cannot be seen\nand not read\n",
        "{finished}"
    );
    ensure!(finished.err().is_empty(), "{finished}");
    let records = reader.join().ok().context("the reader panicked")??;
    let names = std::fs::read(private.dir().join("names"))?;
    let names = String::from_utf8_lossy(&names);
    let names: Vec<String> = names.lines().map(str::to_owned).collect();
    ensure!(names.iter().any(|name| name == "size-300000"), "{names:?}");
    Ok((records, names))
}

#[test]
fn a_daemon_logs_levels_and_raw_names_under_its_tag() -> Result<()> {
    for (options, tag) in [("-i 9", "encfs"), ("-i 9 -t vault -v", "vault")] {
        let (records, names) = logged(options)?;
        let text = records.join("\n");
        for record in &records {
            let (priority, rest) = record
                .strip_prefix('<')
                .and_then(|rest| rest.split_once('>'))
                .with_context(|| record.clone())?;
            let (head, message) = rest.split_once(": ").with_context(|| record.clone())?;
            let pid = head
                .strip_prefix(tag)
                .and_then(|rest| rest.strip_prefix('[')?.strip_suffix(']'));
            ensure!(
                pid.is_some_and(|pid| pid.parse::<u32>().is_ok()),
                "{record}"
            );
            // Facility "user", and the level in words as well.
            let level = match priority {
                "11" => "ERROR ",
                "12" => "WARN ",
                "14" => "INFO ",
                "15" if options.contains("-v") => "DEBUG ",
                other => anyhow::bail!("priority {other}: {record}"),
            };
            ensure!(message.starts_with(level), "{record}");
            ensure!(!message.contains('\x1b'), "colours: {record}");
        }
        ensure!(
            text.contains("<14>") && text.contains("INFO Filesystem mounted: "),
            "{text}"
        );
        ensure!(text.contains("<12>") && text.contains("WARN "), "{text}");
        ensure!(!text.contains("standard password"), "{text}");
        // Others are words of the language too.
        for name in names.iter().filter(|name| name.contains('-')) {
            ensure!(
                !text.contains(name.as_str()),
                "the plain name {name} is in:\n{text}"
            );
        }
    }
    Ok(())
}
