"""Starts one program and writes what it took to a file: `python -I -S launch.py REPORT OUTPUT ERRORS PROGRAM…`. Imports little.

A child's peak memory is counted from the moment of the fork, so it has its starter's: this starter is small, the benchmark is not.
"""

import os
import sys
import time

WRITE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


def main() -> None:
    """Seconds, processor seconds, peak memory as the system counts it, and exit status, in one line."""
    report, output, errors, *argv = sys.argv[1:]
    files = [(os.POSIX_SPAWN_OPEN, 1, output, WRITE, 0o644), (os.POSIX_SPAWN_OPEN, 2, errors, WRITE, 0o644)]
    began = time.perf_counter()
    child = os.posix_spawnp(argv[0], argv, os.environ, file_actions=files)
    _, status, usage = os.wait4(child, 0)
    seconds = time.perf_counter() - began
    with open(report, "w") as stream:
        print(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, os.waitstatus_to_exitcode(status), file=stream)


if __name__ == "__main__":
    main()
