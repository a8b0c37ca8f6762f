//! Extended attributes.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use anyhow::{Result, ensure};
use rustix::fs::{
    XattrFlags, fgetxattr, fsetxattr, getxattr, getxattr_query, lgetxattr, listxattr,
    listxattr_query, lsetxattr, removexattr, setxattr,
};
use rustix::io::Errno;

use crate::place::{Case, Place, refused, same};

pub(crate) const CASES: &[Case] = &[
    ("set, get, list, remove", set_get_list_remove),
    ("flags", flags),
    ("sizes", sizes),
    ("of directories, links and open files", of_other_things),
    ("kept by changes", kept_by_changes),
    ("file capabilities survive a rename", capabilities),
    ("copied by tar and rsync", copied),
];

fn get(path: &Path, name: &str) -> Result<Vec<u8>, Errno> {
    let mut buffer = vec![0; 70_000];
    let got = getxattr(path, name, &mut buffer)?;
    buffer.truncate(got);
    Ok(buffer)
}

fn list(path: &Path) -> Result<Vec<String>> {
    let mut buffer = vec![0; 70_000];
    let got = listxattr(path, &mut buffer)?;
    buffer.truncate(got);
    let text = String::from_utf8(buffer)?;
    let mut names: Vec<_> = text.split_terminator('\0').map(str::to_owned).collect();
    names.retain(|name| name.starts_with("user."));
    names.sort();
    Ok(names)
}

fn file(place: &Place) -> Result<std::path::PathBuf> {
    let path = place.at("file");
    fs::write(&path, "contents")?;
    Ok(path)
}

fn set_get_list_remove(place: &Place) -> Result<()> {
    let path = file(place)?;
    let values: [(&str, &[u8]); 3] = [
        ("user.text", b"value"),
        ("user.bytes", b"\0\xff\n"),
        ("user.empty", b""),
    ];
    for (name, value) in values {
        setxattr(&path, name, value, XattrFlags::empty())?;
        same(name, get(&path, name)?, value.to_vec())?;
    }
    same(
        "names",
        list(&path)?,
        ["user.bytes", "user.empty", "user.text"]
            .map(String::from)
            .to_vec(),
    )?;
    setxattr(&path, "user.text", b"another", XattrFlags::empty())?;
    same(
        "after setting it again",
        get(&path, "user.text")?,
        b"another".to_vec(),
    )?;
    removexattr(&path, "user.text")?;
    refused(
        "getting what was removed",
        get(&path, "user.text"),
        Errno::NODATA,
    )?;
    refused(
        "removing it again",
        removexattr(&path, "user.text"),
        Errno::NODATA,
    )?;
    same(
        "names left",
        list(&path)?,
        ["user.bytes", "user.empty"].map(String::from).to_vec(),
    )?;
    setxattr(&path, "trusted.root", b"x", XattrFlags::empty())?;
    same("trusted", get(&path, "trusted.root")?, b"x".to_vec())?;
    refused(
        "an unknown namespace",
        setxattr(&path, "nowhere.x", b"x", XattrFlags::empty()),
        Errno::OPNOTSUPP,
    )
}

fn flags(place: &Place) -> Result<()> {
    let path = file(place)?;
    refused(
        "replacing nothing",
        setxattr(&path, "user.x", b"1", XattrFlags::REPLACE),
        Errno::NODATA,
    )?;
    setxattr(&path, "user.x", b"1", XattrFlags::CREATE)?;
    refused(
        "creating it again",
        setxattr(&path, "user.x", b"2", XattrFlags::CREATE),
        Errno::EXIST,
    )?;
    setxattr(&path, "user.x", b"3", XattrFlags::REPLACE)?;
    same("value", get(&path, "user.x")?, b"3".to_vec())
}

fn sizes(place: &Place) -> Result<()> {
    let path = file(place)?;
    setxattr(&path, "user.long", &[7; 2000], XattrFlags::empty())?;
    same("size asked for", getxattr_query(&path, "user.long")?, 2000)?;
    let mut small = [0; 100];
    refused(
        "into too little",
        getxattr(&path, "user.long", &mut small),
        Errno::RANGE,
    )?;
    same("value", get(&path, "user.long")?, vec![7; 2000])?;
    ensure!(
        listxattr_query(&path)? >= "user.long\0".len(),
        "size of the list"
    );
    let mut tiny = [0; 3];
    refused(
        "a list into too little",
        listxattr(&path, &mut tiny),
        Errno::RANGE,
    )
}

fn of_other_things(place: &Place) -> Result<()> {
    fs::create_dir(place.at("dir"))?;
    setxattr(place.at("dir"), "user.d", b"dir", XattrFlags::empty())?;
    same(
        "of a directory",
        get(&place.at("dir"), "user.d")?,
        b"dir".to_vec(),
    )?;
    let path = file(place)?;
    std::os::unix::fs::symlink("file", place.at("link"))?;
    let set = lsetxattr(place.at("link"), "user.l", b"x", XattrFlags::empty());
    refused("user attributes of a link", set, Errno::PERM)?;
    lsetxattr(place.at("link"), "trusted.l", b"link", XattrFlags::empty())?;
    let mut buffer = [0; 10];
    same(
        "trusted of a link",
        lgetxattr(place.at("link"), "trusted.l", &mut buffer)?,
        4,
    )?;
    refused("not of its target", get(&path, "trusted.l"), Errno::NODATA)?;
    let open = OpenOptions::new().write(true).open(&path)?;
    fsetxattr(&open, "user.f", b"open", XattrFlags::empty())?;
    same(
        "of an open file",
        fgetxattr(&open, "user.f", &mut buffer)?,
        4,
    )
}

fn kept_by_changes(place: &Place) -> Result<()> {
    let path = file(place)?;
    setxattr(&path, "user.x", b"kept", XattrFlags::empty())?;
    OpenOptions::new()
        .append(true)
        .open(&path)?
        .write_all(&[1; 5000])?;
    nix::unistd::truncate(&path, 10)?;
    fs::create_dir(place.at("dir"))?;
    fs::rename(&path, place.at("dir/file"))?;
    same(
        "after a rename",
        get(&place.at("dir/file"), "user.x")?,
        b"kept".to_vec(),
    )?;
    fs::rename(place.at("dir"), place.at("another"))?;
    same(
        "after one above",
        get(&place.at("another/file"), "user.x")?,
        b"kept".to_vec(),
    )
}

/// `cap_net_raw+ep` as the kernel stores it, version 2.
const CAPABILITY: [u8; 20] = [
    1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
];

fn capabilities(place: &Place) -> Result<()> {
    let path = file(place)?;
    let name = "security.capability";
    setxattr(&path, name, &CAPABILITY, XattrFlags::empty())?;
    same("set", get(&path, name)?, CAPABILITY.to_vec())?;
    fs::rename(&path, place.at("renamed"))?;
    same(
        "after a rename",
        get(&place.at("renamed"), name)?,
        CAPABILITY.to_vec(),
    )?;
    fs::create_dir(place.at("dir"))?;
    fs::rename(place.at("renamed"), place.at("dir/file"))?;
    fs::rename(place.at("dir"), place.at("another"))?;
    same(
        "after one above",
        get(&place.at("another/file"), name)?,
        CAPABILITY.to_vec(),
    )?;
    fs::write(place.at("another/file"), "changed")?;
    refused(
        "after a write",
        get(&place.at("another/file"), name),
        Errno::NODATA,
    )
}

fn copied(place: &Place) -> Result<()> {
    place.shell(
        "mkdir from to1 to2; echo x > from/f; setfattr -n user.a -v 1 from/f; \
         mkdir from/d; setfattr -n user.b -v 2 from/d; setfacl -m u:1:rw from/f; \
         rsync -aHAX from/ to1/ && tar --xattrs --acls -C from -cf - . | tar --xattrs --acls -C to2 -xf -",
    )?;
    for to in ["to1", "to2"] {
        same(
            "of the file",
            get(&place.at(&format!("{to}/f")), "user.a")?,
            b"1".to_vec(),
        )?;
        same(
            "of the directory",
            get(&place.at(&format!("{to}/d")), "user.b")?,
            b"2".to_vec(),
        )?;
        let acl = place.shell(&format!("getfacl -nc {to}/f"))?;
        ensure!(acl.contains("user:1:rw-"), "the ACL by {to}:\n{acl}");
    }
    same(
        "a second rsync",
        place.shell("rsync -aHAXi from/ to1/")?.as_str(),
        "",
    )
}
