"""The Linux emulations are run, recorded and held against what they must show. Skips where there is no root, overlay or tool.

The recording is strace's: a kernel's audit stays as the machine has it.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from contraband.emulate import EmulationError, check_recording, load_emulations, run_in_scratch, why_not

TESTS = [test for test in load_emulations("T1546.016") if test.platform == "linux"]
LACKING = "must be there"


@pytest.fixture(scope="module", autouse=True)
def _scratch_root() -> None:
    if shutil.which("strace") is None:
        pytest.skip("there is no strace")
    if reason := why_not():
        pytest.skip(reason)


@pytest.mark.parametrize("test", TESTS, ids=lambda test: test.id)
def test_a_run_leaves_its_signals_and_the_package_sees_it(test, tmp_path: Path) -> None:
    try:
        run = run_in_scratch(test, record=True)
    except EmulationError as error:
        if LACKING in str(error):
            pytest.skip(str(error))
        raise
    recording = tmp_path / f"{test.id}.ndjson"
    recording.write_text("".join(json.dumps(event) + "\n" for event in run.events), encoding="utf-8")
    checked = check_recording(test, [str(recording)])
    assert run.cleaned
    assert [signal.signal.what for signal in checked.signals if not signal.seen] == []
    assert checked.as_expected, checked.severity
    assert test.published in (None, checked.published)


def test_nothing_of_a_run_is_left() -> None:
    run_in_scratch(next(test for test in TESTS if test.id == "T13"), record=False)
    assert not Path("/var/lib/dpkg/info/t1546-sh.postinst").exists()
    assert not Path("/tmp/t1546-lab/t1546-sh.deb").exists()
