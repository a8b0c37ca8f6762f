//! Who may do what: modes, umask, groups, ACLs. User 1 is `daemon`, user 2 is `bin`.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

use anyhow::{Result, ensure};

use crate::place::{Case, Place, same};

pub(crate) const CASES: &[Case] = &[
    ("modes are enforced", modes_are_enforced),
    (
        "new files belong to their maker",
        new_files_belong_to_their_maker,
    ),
    ("umask of the caller", umask_of_the_caller),
    ("set-group-id directories", setgid_directories),
    ("sticky directories", sticky_directories),
    ("ACLs are enforced", acls_are_enforced),
    ("default ACLs", default_acls),
    ("chmod changes the ACL's mask", chmod_and_mask),
];

fn allowed(place: &Place, user: u32, script: &str, want: bool) -> Result<()> {
    let finished = place.shell_as(user, script)?;
    let word = if want { "may" } else { "may not" };
    ensure!(
        finished.status.success() == want,
        "user {user} {word} `{script}`\n{finished}"
    );
    Ok(())
}

fn modes_are_enforced(place: &Place) -> Result<()> {
    fs::write(place.at("private"), "secret")?;
    fs::write(place.at("public"), "open")?;
    fs::set_permissions(place.at("private"), fs::Permissions::from_mode(0o600))?;
    fs::set_permissions(place.at("public"), fs::Permissions::from_mode(0o644))?;
    allowed(place, 1, "cat public", true)?;
    allowed(place, 1, "echo x > public", false)?;
    allowed(place, 1, "cat private", false)?;
    allowed(place, 1, "test -r private", false)?;
    allowed(place, 1, "echo x > new", false)?;
    allowed(place, 1, "chmod 666 public", false)?;
    chown(place.at("private"), Some(1), Some(1))?;
    allowed(
        place,
        1,
        "cat private && echo more >> private && chmod 640 private",
        true,
    )?;
    allowed(place, 2, "cat private", false)
}

fn new_files_belong_to_their_maker(place: &Place) -> Result<()> {
    fs::set_permissions(&place.dir, fs::Permissions::from_mode(0o777))?;
    place
        .shell_as(1, "echo x > file; mkdir dir; ln -s x link; mkfifo fifo")?
        .success()?;
    for name in ["file", "dir", "link", "fifo"] {
        let meta = fs::symlink_metadata(place.at(name))?;
        same(name, (meta.uid(), meta.gid()), (1, 1))?;
    }
    Ok(())
}

fn umask_of_the_caller(place: &Place) -> Result<()> {
    let mode = |name: &str| -> Result<u32> { Ok(fs::metadata(place.at(name))?.mode() & 0o7777) };
    for (umask, file, dir) in [
        ("000", 0o666, 0o777),
        ("022", 0o644, 0o755),
        ("077", 0o600, 0o700),
        ("777", 0, 0),
    ] {
        place.shell(&format!(
            "umask {umask}; : > f{umask}; mkdir d{umask}; mkfifo p{umask}"
        ))?;
        same("file", mode(&format!("f{umask}"))?, file)?;
        same("directory", mode(&format!("d{umask}"))?, dir)?;
        same("FIFO", mode(&format!("p{umask}"))?, file)?;
    }
    Ok(())
}

fn setgid_directories(place: &Place) -> Result<()> {
    fs::create_dir(place.at("dir"))?;
    chown(place.at("dir"), Some(0), Some(7))?;
    fs::set_permissions(place.at("dir"), fs::Permissions::from_mode(0o2777))?;
    place
        .shell_as(1, "echo x > dir/file; mkdir dir/sub")?
        .success()?;
    let file = fs::metadata(place.at("dir/file"))?;
    same("owner of a file", (file.uid(), file.gid()), (1, 7))?;
    let sub = fs::metadata(place.at("dir/sub"))?;
    same("owner of a directory", (sub.uid(), sub.gid()), (1, 7))?;
    same("its set-group-id bit", sub.mode() & 0o2000, 0o2000)
}

fn sticky_directories(place: &Place) -> Result<()> {
    fs::create_dir(place.at("tmp"))?;
    fs::set_permissions(place.at("tmp"), fs::Permissions::from_mode(0o1777))?;
    place.shell_as(1, "echo x > tmp/of1")?.success()?;
    allowed(place, 2, "rm -f tmp/of1", false)?;
    allowed(place, 2, "mv tmp/of1 tmp/x", false)?;
    allowed(place, 1, "mv tmp/of1 tmp/x && rm tmp/x", true)
}

fn acls_are_enforced(place: &Place) -> Result<()> {
    fs::write(place.at("file"), "for one more")?;
    fs::set_permissions(place.at("file"), fs::Permissions::from_mode(0o600))?;
    allowed(place, 1, "cat file", false)?;
    place.shell("setfacl -m u:1:r-- file")?;
    allowed(place, 1, "cat file", true)?;
    allowed(place, 1, "echo x >> file", false)?;
    allowed(place, 2, "cat file", false)?;
    place.shell("setfacl -m g:2:rw- file")?;
    allowed(place, 2, "echo x >> file", true)?;
    let acl = place.shell("getfacl -nc file")?;
    for line in ["user:1:r--", "group:2:rw-", "mask::rw-"] {
        ensure!(acl.lines().any(|have| have == line), "no {line} in\n{acl}");
    }
    fs::rename(place.at("file"), place.at("renamed"))?;
    allowed(place, 1, "cat renamed", true)?;
    place.shell("setfacl -b renamed")?;
    allowed(place, 1, "cat renamed", false)
}

fn default_acls(place: &Place) -> Result<()> {
    place.shell("mkdir dir; setfacl -d -m u:1:rwx,g::r-x,o::--- dir")?;
    // With a default ACL the umask has no say.
    place.shell("umask 077; echo x > dir/file; mkdir dir/sub; echo y > dir/sub/deep")?;
    for (path, user) in [
        ("dir/file", "user:1:rwx"),
        ("dir/sub", "user:1:rwx"),
        ("dir/sub/deep", "user:1:rwx"),
    ] {
        let acl = place.shell(&format!("getfacl -nc {path}"))?;
        ensure!(
            acl.lines().any(|line| line.starts_with(user)),
            "no {user} of {path} in\n{acl}"
        );
    }
    let mode = |name: &str| -> Result<u32> { Ok(fs::metadata(place.at(name))?.mode() & 0o777) };
    same("mode of the file", mode("dir/file")?, 0o660)?;
    same("mode of the directory", mode("dir/sub")?, 0o770)?;
    let acl = place.shell("getfacl -nc dir/sub")?;
    ensure!(
        acl.contains("default:user:1:rwx"),
        "the default is not handed down:\n{acl}"
    );
    Ok(())
}

fn chmod_and_mask(place: &Place) -> Result<()> {
    place.shell("echo x > file; chmod 600 file; setfacl -m u:1:rw- file")?;
    let mode = || -> Result<u32> { Ok(fs::metadata(place.at("file"))?.mode() & 0o777) };
    same("group bits are the mask", mode()?, 0o660)?;
    allowed(place, 1, "cat file", true)?;
    fs::set_permissions(place.at("file"), fs::Permissions::from_mode(0o600))?;
    same("mode", mode()?, 0o600)?;
    allowed(place, 1, "cat file", false)?;
    let acl = place.shell("getfacl -nc file")?;
    ensure!(acl.contains("mask::---"), "chmod left the mask:\n{acl}");
    Ok(())
}
