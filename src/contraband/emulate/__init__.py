"""Emulations of a technique: read them, show them, run them, and hold a recording against the signals they must leave."""

from contraband.emulate.atomic import Dependency, Emulation, EmulationError, Executor, InputArgument, load_emulations
from contraband.emulate.check import Checked, check_recording
from contraband.emulate.run import CommandResult, Run, plan_commands, run_emulation
from contraband.emulate.scratch import run_in_scratch, why_not
from contraband.emulate.signals import Signal, SignalResult, check_signals

__all__ = [
    "Checked",
    "CommandResult",
    "Dependency",
    "Emulation",
    "EmulationError",
    "Executor",
    "InputArgument",
    "Run",
    "Signal",
    "SignalResult",
    "check_recording",
    "check_signals",
    "load_emulations",
    "plan_commands",
    "run_emulation",
    "run_in_scratch",
    "why_not",
]
