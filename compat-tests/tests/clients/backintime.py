"""Drives the classes of Back In Time's encfstools.py as its modes local_encfs and ssh_encfs do.

Arguments: which scenario. DIR, RAW, MNT and PW of the environment say where and by which password.
Every line it prints is a fact that the test looks at.
"""

import os
import sys
from types import SimpleNamespace

sys.path[:0] = ["/usr/share/backintime/common", "/usr/share/backintime/plugins"]

import config
import encfstools
import password

DIR, RAW, PW = (os.environ[name] for name in ("DIR", "RAW", "PW"))

cfg = config.Config(os.path.join(DIR, "bit.conf"), os.path.join(DIR, "bit-data"))
cfg.setHostUserProfile("host", "user", "1")
cfg.setSnapshotsMode("local_encfs")
cfg.setLocalEncfsPath(RAW)
cfg.password = lambda *args, **kwargs: PW
# The answers of a user who makes a new encrypted folder in the settings.
cfg.askQuestion = lambda *args, **kwargs: True
password.Password.passwordFromUser = lambda *args, **kwargs: PW


def mount(**kwargs):
    volume = encfstools.EncFS_mount(
        cfg=cfg, mode="local_encfs", profile_id="1", password=PW, symlink=False, **kwargs
    )
    volume.mount(check=True)
    return volume


def local():
    first = mount(path=RAW, tmp_mount=True)
    point = first.currentMountpoint
    with open(os.path.join(point, "a file"), "w") as file:
        file.write("plain")
    print("kind", [line.split()[2] for line in open("/proc/mounts") if point in line][0])
    first.umount()
    print("mounted", os.path.ismount(point))

    # Now there is a configuration.
    again = mount(path=RAW, tmp_mount=True)
    print("read", open(os.path.join(again.currentMountpoint, "a file")).read())
    again.umount()

    decode = encfstools.Decode(cfg)
    names = [name for name in os.listdir(RAW) if not name.startswith(".")]
    print("decoded", decode.path(names[0]), "and", decode.path("no-such-name"))
    print("again", decode.path(names[0]))
    print("log", decode.log("[C] <f+++++++++ " + names[0]))
    decode.close()


def wrong():
    volume = encfstools.EncFS_mount(
        cfg=cfg, mode="local_encfs", profile_id="1", password="wrong", symlink=False, path=RAW
    )
    try:
        volume.mount(check=True)
    except Exception as error:
        print(type(error).__name__)
        print(str(error).splitlines()[-1])


def remote():
    # A volume for reverse mode, made on an empty folder, its configuration kept elsewhere.
    kept = os.path.join(DIR, "kept")
    os.mkdir(kept)
    made = mount(path=RAW, reverse=True, config_path=RAW, tmp_mount=True)
    made.umount()
    os.rename(made.configFile(), os.path.join(kept, ".encfs6.xml"))

    # The whole tree, so the mount point lies inside it.
    view = mount(path="/", reverse=True, config_path=kept)
    ssh = SimpleNamespace(path="backup")
    volume = SimpleNamespace(password=PW, rev_root=view, ssh=ssh, env=view.env)
    encode = encfstools.Encode(volume)
    os.makedirs(os.path.join(DIR, "documents"))
    with open(os.path.join(DIR, "documents", "letter"), "w") as file:
        file.write("plain")
    place = encode.path(os.path.join(DIR, "documents/letter"))
    print("leading slash", place.startswith("/"))
    print("size", os.path.getsize(os.path.join(view.currentMountpoint, place)))
    print("include", encode.include("/etc") == "/" + encode.path("/etc"))
    print("exclude", encode.exclude("/etc/*") == "/" + encode.path("/etc/") + "*")
    encode.close()
    # The entry behind which the view itself lies is no way back into it.
    view.umount()
    print("mounted", os.path.ismount(view.currentMountpoint))


{"local": local, "wrong": wrong, "remote": remote}[sys.argv[1]]()
