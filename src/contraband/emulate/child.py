"""The half of a scratch run that happens inside the scratch root: runs one emulation and answers in JSON. Started by `scratch`."""

from __future__ import annotations

import json
import sys

from contraband.emulate.atomic import EmulationError, load_emulations
from contraband.emulate.run import data_of_run, run_emulation


def answer(question: str) -> str:
    """The JSON answer to a JSON question: `{technique, id, record, timeout}`."""
    asked = json.loads(question)
    emulation = next(test for test in load_emulations(asked["technique"]) if test.id == asked["id"])
    try:
        run = run_emulation(emulation, record=asked["record"], timeout=asked["timeout"])
    except EmulationError as error:
        return json.dumps({"error": str(error)})
    return json.dumps(data_of_run(run))


if __name__ == "__main__":
    sys.stdout.write(answer(sys.argv[1]))
