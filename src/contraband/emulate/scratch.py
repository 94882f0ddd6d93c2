"""A root to run an emulation in that leaves nothing behind: overlays over the folders that packages write to, in namespaces of their own.

Linux, as root. The overlays' upper sides lie in a tmpfs of the mount namespace, so that the kernel drops all of it when the last
process ends, however it ends. The network namespace has a loopback interface and nothing else: an emulation cannot reach anyone.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import Any

from contraband.emulate.atomic import Emulation, EmulationError
from contraband.emulate.run import Run, run_of_data

WRITTEN = ("/etc", "/home", "/opt", "/root", "/srv", "/tmp", "/usr", "/var")  # noqa: S108 - folders to cover, not to write to
"""What packages, package managers and their scripts write to."""

_PROGRAM = "contraband.emulate.child"

# Sources lie in the package, which may itself lie in a covered folder: an overlay shows it as it is.
_SET_UP = """
set -e
mount --make-rprivate /
stage=$(mktemp -d /run/contraband-XXXXXX 2>/dev/null || mktemp -d /dev/shm/contraband-XXXXXX)
mount -t tmpfs -o mode=0755 tmpfs "$stage"
for folder in $CONTRABAND_WRITTEN; do
  test -d "$folder" || continue
  mkdir -p "$stage$folder/upper" "$stage$folder/work"
  chmod --reference="$folder" "$stage$folder/upper"
  mount -t overlay overlay -o "lowerdir=$folder,upperdir=$stage$folder/upper,workdir=$stage$folder/work" "$folder"
done
command -v ip >/dev/null && ip link set lo up
exec "$@"
"""


def why_not() -> str | None:
    """What this machine lacks for a scratch root; None where it has all."""
    if sys.platform != "linux":
        return "a scratch root needs Linux"
    if os.geteuid() != 0:
        return "a scratch root needs root"
    if shutil.which("unshare") is None:
        return "a scratch root needs `unshare` (util-linux)"
    attempt = _in_namespaces(["true"], timeout=60)
    return None if attempt.returncode == 0 else f"this machine refuses a scratch root: {attempt.stderr.strip()}"


def run_in_scratch(emulation: Emulation, *, record: bool, timeout: float = 300) -> Run:
    """Run an emulation where it leaves nothing behind; with `record`, its events come with it. Raises `EmulationError`."""
    if reason := why_not():
        raise EmulationError(reason)
    question = json.dumps({"technique": emulation.technique, "id": emulation.id, "record": record, "timeout": timeout})
    done = _in_namespaces([sys.executable, "-m", _PROGRAM, question], timeout=timeout * 6)
    if done.returncode != 0:
        raise EmulationError(f"{emulation.id}: {done.stderr.strip()[-2000:]}")
    answer: dict[str, Any] = json.loads(done.stdout)
    if "error" in answer:
        raise EmulationError(answer["error"])
    return run_of_data(emulation, answer)


def _in_namespaces(command: list[str], *, timeout: float) -> subprocess.CompletedProcess[str]:
    environment = {**_environment(), "CONTRABAND_WRITTEN": " ".join(WRITTEN)}
    try:
        return subprocess.run(
            ["unshare", "--mount", "--net", "--", "sh", "-c", _SET_UP, "sh", *command],
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=timeout,
            check=False,
            env=environment,
        )
    except subprocess.TimeoutExpired as error:
        raise EmulationError(f"the scratch root did not end within {timeout:g} seconds") from error


def _environment() -> dict[str, str]:
    """The environment that the child is given: this interpreter's own import path, so that it finds this package."""
    import contraband

    source = os.path.dirname(os.path.dirname(contraband.__file__))  # noqa: PTH120 - a string is wanted
    # What a person has set for programs of their own (pip's settings, proxies) has no place in a lab.
    return {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": source,
    }
