"""Some of the fault drills; `benchmarks/faults.py` has them all."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from flavours import one_flavour

DRILLS = Path(__file__).parents[1] / "benchmarks" / "faults.py"


@pytest.mark.slow
@one_flavour
def test_drills(tmp_path):
    counts = ["--kills", "4", "--damages", "6", "--full-disks", "3"]
    command = [sys.executable, str(DRILLS), str(tmp_path / "drills"), *counts]
    output = tmp_path / "results.json"
    done = subprocess.run([*command, "--output", str(output)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    results = json.loads(output.read_text())
    assert results["passed"] == len(results["drills"]) == 14
