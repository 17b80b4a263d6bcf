import os
import subprocess
import sys

import pytest

from tfcompress.runtime.quiet import quiet_stderr


def test_chatter_goes_and_the_rest_stays(capfd):
    print("before", file=sys.stderr)
    with quiet_stderr():
        os.write(2, b"INFO: [file.cc:1] loaded\nWARNING: [file.cc:2] no plugin\n")
        os.write(2, "\u2514 Could not load\n".encode())
        print("from Python", file=sys.stderr)
        os.write(2, b"ERROR: [file.cc:3] failed\n")
    os.write(2, b"INFO: after\n")
    lines = capfd.readouterr().err.splitlines()
    assert lines == ["before", "from Python", "ERROR: [file.cc:3] failed", "INFO: after"]


def test_errors_pass(capfd):

    def fail():
        with quiet_stderr():
            os.write(2, b"ERROR: first\n")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    os.write(2, b"second\n")
    assert capfd.readouterr().err.splitlines() == ["ERROR: first", "second"]


def test_without_standard_error():
    code = (
        "import os, sys\n"
        "from tfcompress.runtime.quiet import quiet_stderr\n"
        "os.close(2)\n"
        "sys.stderr = None\n"
        "with quiet_stderr():\n"
        "    print('done')\n"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (output.returncode, output.stdout) == (0, "done\n")
