"""A modelled audit.log: program starts as the Linux kernel and auditd (log_format=ENRICHED) write them. Knows no other source.

Records: https://github.com/linux-audit/audit-documentation. Some start under dpkg, so that rules about packages have something to see.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

START = 1_795_000_000
PROGRAMS = (
    ("ls", "/usr/bin/ls", ("ls", "-l", "/var/log")),
    ("grep", "/usr/bin/grep", ("grep", "-q", "ready", "/run/state")),
    ("sed", "/usr/bin/sed", ("sed", "-n", "s/a b/c/p", "/etc/hosts")),
    ("python3", "/usr/bin/python3.11", ("/usr/bin/python3", "-m", "compileall", "-q", "/opt/app")),
    ("cat", "/usr/bin/cat", ("cat", "/proc/loadavg")),
)
SCRIPT = ("postinst", "/usr/bin/dash", ("/bin/sh", "/var/lib/dpkg/info/vendor.postinst", "configure"))
IDENTITY = "auid=1000 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts0 ses=5"
NAMES = 'AUID="admin" UID="root" GID="root" EUID="root" SUID="root" FSUID="root" EGID="root" SGID="root" FSGID="root"'


def records(number: int, random: Random) -> str:
    """The records of one execve."""
    command, executable, arguments = SCRIPT if number % 1_000 == 500 else random.choice(PROGRAMS)
    stamp = f"msg=audit({START + number // 50}.{number % 50 * 20:03d}:{number + 1}):"
    pid, parent = 2_000 + number % 30_000, 2_000 + (number - number % 7) % 30_000
    listed = " ".join(
        f'a{place}="{text}"' if " " not in text else f"a{place}={text.encode().hex().upper()}"
        for place, text in enumerate(arguments)
    )
    title = "\0".join(arguments).encode().hex().upper()
    address = random.getrandbits(44)
    return (
        f"type=SYSCALL {stamp} arch=c000003e syscall=59 success=yes exit=0 a0={address:x} a1={address + 64:x} a2={address + 128:x} a3=8 items=2"
        f' ppid={parent} pid={pid} {IDENTITY} comm="{command}" exe="{executable}" key="exec"\x1dARCH=x86_64 SYSCALL=execve {NAMES}\n'
        f"type=EXECVE {stamp} argc={len(arguments)} {listed}\n"
        f'type=CWD {stamp} cwd="/root"\n'
        f'type=PATH {stamp} item=0 name="{executable}" inode={260000 + number % 977} dev=fe:00 mode=0100755 ouid=0 ogid=0 rdev=00:00'
        ' nametype=NORMAL cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0\x1dOUID="root" OGID="root"\n'
        f'type=PATH {stamp} item=1 name="/lib64/ld-linux-x86-64.so.2" inode=338944 dev=fe:00 mode=0100755 ouid=0 ogid=0 rdev=00:00'
        ' nametype=NORMAL cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0\x1dOUID="root" OGID="root"\n'
        f"type=PROCTITLE {stamp} proctitle={title}\n"
    )


def ensure(events: int, folder: Path) -> Path:
    """The log of so many program starts, made where it is not there."""
    path = folder / f"audit-{events}.log"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        random = Random(events)
        part = path.with_suffix(".part")
        with part.open("w", encoding="ascii") as stream:
            for number in range(events):
                stream.write(records(number, random))
        part.replace(path)
    return path
