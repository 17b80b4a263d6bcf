"""What benchmarks measure of a process."""

import subprocess
import sys

import pytest
from flavours import one_flavour

from tfcompress.runtime.measuring import peak_rss_bytes

SIZE = 50_000_000


@one_flavour
@pytest.mark.skipif(sys.platform != "linux", reason="memory of other processes needs /proc")
def test_the_peak_of_another_process():
    """What it has held counts, though it holds it no longer."""
    program = "import sys; x = b'1' * int(sys.argv[1]); del x; print(flush=True); input()"
    peaks = []
    for size in (1, SIZE):
        command = [sys.executable, "-c", program, str(size)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout.readline()
            peaks.append(peak_rss_bytes(process.pid))
            process.communicate(b"\n")
    assert SIZE * 0.95 < peaks[1] - peaks[0] < SIZE * 1.2
    with pytest.raises(OSError):
        peak_rss_bytes(process.pid)
