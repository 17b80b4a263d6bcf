import os
import subprocess
import sys

from tfcompress.reporting import describe_machine, versions
from tfcompress.reporting.provenance import machine_text


def test_this_machine_is_described():
    machine = describe_machine()
    assert 0 < machine["cores"] <= os.cpu_count()
    assert machine["memory_bytes"] > 10**8
    assert machine["cpu"].strip()
    assert machine["python"] == ".".join(map(str, sys.version_info[:3]))
    assert all(isinstance(value, (str, int, float)) for value in machine.values())


def test_versions_are_those_of_installed_packages():
    import numpy

    assert versions()["numpy"] == numpy.__version__
    assert "sacrebleu" in versions()


def test_reporting_does_not_load_tensorflow():
    code = (
        "import sys; from tfcompress import reporting as r; r.versions(); r.describe_machine();"
        "sys.exit(any(name.split('.')[0] in ('tensorflow', 'keras') for name in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_machines_are_written_in_one_line():
    machine = {
        "cpu": "Cortex-A76",
        "instructions": "asimddp",
        "cores": 4,
        "memory_bytes": 8 * 10**9,
    }
    assert machine_text(machine) == "Cortex-A76 (asimddp), 4 cores, 8.00 GB memory"
    assert machine_text({"python": "3.11.7", "board": "Pi"}) == "Python 3.11.7, Board Pi"
