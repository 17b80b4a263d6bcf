"""The command line as a process: its standard streams, interrupts, and what the system refuses."""

import os
import signal
import subprocess
import sys

import pytest
from flavours import one_flavour

pytestmark = one_flavour
COMMAND = [sys.executable, "-m", "tfcompress"]
# Sends an interrupt when a module is asked for, as Ctrl-C in the first moments does.
INTERRUPTED = """
import importlib.abc, signal, sys
class Interrupt(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            sys.meta_path.remove(self)
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Interrupt())
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.argv = ["tfcompress", "describe", "transformer_tiny"]
from tfcompress.__main__ import program
program()
"""


def run(shell, *arguments):
    command = ["bash", "-c", f'"$@" {shell}', "bash", *COMMAND, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ)
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 1
    return done


@pytest.mark.parametrize(
    ("shell", "arguments", "code", "message"),
    [
        ("<&-", ["describe"], 0, ""),
        ("<&-", ["translate", "bundle"], 2, "A bundle must be a folder"),
        ("<&-", ["benchmark", "bundle"], 2, "Standard input is needed"),
        (">&-", ["describe"], 2, "standard output is closed"),
        (">/dev/full", ["describe"], 2, "No space left"),
        ("2>&-", ["describe", "nothing"], 2, ""),
        ("<&- 2>&-", ["describe"], 0, ""),
    ],
    ids=str,
)
def test_closed_streams(shell, arguments, code, message):
    done = run(shell, *arguments)
    assert done.returncode == code
    assert message in done.stderr


@pytest.mark.parametrize("name", ["tfcompress.commands", "argparse", "tfcompress.analysis"])
def test_early_interrupts(name):
    program = [sys.executable, "-c", INTERRUPTED.format(name=name)]
    done = subprocess.run(program, capture_output=True, text=True, env=os.environ)
    assert done.returncode == 130
    assert done.stderr == "interrupted; run the same command to go on\n"
    assert done.stdout == ""


def test_little_is_imported_before_interrupts_are_heeded():
    code = "import sys, tfcompress.__main__; print(*sys.modules)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
    assert not {"argparse", "asyncio", "numpy", "wrapt", "tensorflow"} & {*done.stdout.split()}


def test_interrupts_that_are_ignored_stay_so():
    def ignore():
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    program = [sys.executable, "-c", INTERRUPTED.format(name="tfcompress.commands").replace(
        "signal.default_int_handler", "signal.SIG_IGN")]  # fmt: skip
    done = subprocess.run(program, capture_output=True, text=True, preexec_fn=ignore)
    assert done.returncode == 0
