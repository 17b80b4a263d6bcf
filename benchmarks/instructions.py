"""Instructions of a 64-bit ARM processor for each token of a bundle's translations.

    python benchmarks/instructions.py BUNDLE... --source test.en \
        --output benchmarks/results/instructions.json

The native runtime translates under qemu, whose plugin counts. It runs twice, with different numbers
of passes, so that the difference is that of translating alone. Times under emulation mean nothing,
but these numbers are those of a real processor: a Cortex-A76, for which LiteRT has kernels with
dot products. Needs Debian's g++-aarch64-linux-gnu and a qemu-aarch64 with plugins, on the path or
in TFCOMPRESS_QEMU: Debian 12's qemu-user has them, Debian 13's has not.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from results_file import write_results

from tfcompress.export import build_native
from tfcompress.export.devices.litert_library import litert_library
from tfcompress.runtime.native_files import PROGRAM, native_folder
from tfcompress.text import read_lines

PLUGIN = Path(__file__).parent / "instructions" / "count.c"
TARGET, CPU = "aarch64-linux", "cortex-a76"
SYSROOT = Path("/usr/aarch64-linux-gnu")
PASSES = (1, 3)
# qemu before 8 shows programs the host's, with which LiteRT's CPU detection fails.
CPU_INFO = """processor\t: 0
Features\t: fp asimd aes pmull sha1 sha2 crc32 atomics fphp asimdhp asimdrdm lrcpc dcpop asimddp
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x4
CPU part\t: 0xd0b
CPU revision\t: 1

"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("bundles", type=Path, nargs="+", help="folders of bundles")
    parser.add_argument("--source", type=Path, required=True, help="source sentences")
    parser.add_argument("--output", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--sentences", type=int, default=20)
    parser.add_argument("--beams", type=int, nargs="*", default=[1, 4])
    options = parser.parse_args()
    if not (native_folder(TARGET) / PROGRAM).is_file():
        build_native(TARGET)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        counter = Counter(Path(folder))
        sentences = Path(folder) / "sentences"
        lines = read_lines(options.source)[: options.sentences]
        sentences.write_text("\n".join([*lines, ""]), encoding="utf-8")
        for bundle in options.bundles:
            for beam_size in options.beams:
                rows.append(measure(counter, bundle, sentences, beam_size))
                print(json.dumps(rows[-1]), flush=True)
    write_results(options.output, {"cpu": CPU, "qemu": counter.version, "rows": rows})


class Counter:
    """Runs the benchmark program and counts its instructions.

    Args:
        folder: Where files of its own go.
    """

    def __init__(self, folder: Path):
        qemu = os.environ.get("TFCOMPRESS_QEMU") or shutil.which("qemu-aarch64")
        if qemu is None:
            sys.exit("error: there is no qemu-aarch64; install Debian 12's qemu-user")
        if "-plugin " not in _output([qemu, "-h"]):
            sys.exit(f"error: {qemu} has no plugins; set TFCOMPRESS_QEMU to one that has")
        self.version = _output([qemu, "--version"]).splitlines()[0]
        plugin = folder / "count.so"
        _output(["cc", "-O2", "-shared", "-fPIC", "-Wall", "-Werror", PLUGIN, "-o", plugin])
        root = folder / "root"
        (root / "proc").mkdir(parents=True)
        (root / "proc" / "cpuinfo").write_text(CPU_INFO, encoding="utf-8")
        for path in SYSROOT.iterdir():
            (root / path.name).symlink_to(path)
        self._count = folder / "count"
        self._command = [qemu, "-cpu", CPU, "-L", root, "-plugin", f"{plugin},to={self._count}"]

    def run(self, bundle: Path, sentences: Path, beam_size: int, passes: int) -> tuple[int, dict]:
        """Returns the instructions and the metrics of a run."""
        options = {"input": sentences, "beam": beam_size, "warmup": 1, "runs": passes}
        options["library"] = litert_library(TARGET)
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        metrics = _output([*self._command, native_folder(TARGET) / PROGRAM, bundle, *words])
        return int(self._count.read_text()), json.loads(metrics)


def measure(counter, bundle, sentences, beam_size) -> dict:
    """Counts the instructions of some passes over the sentences."""
    (fewer, metrics), (more, _) = (
        counter.run(bundle, sentences, beam_size, passes) for passes in PASSES
    )
    instructions = (more - fewer) / (PASSES[1] - PASSES[0])
    return {
        "bundle": bundle.name,
        "beam_size": beam_size,
        "sentences": metrics["texts"],
        "target_tokens": metrics["target_tokens"],
        "instructions_per_token": round(instructions / metrics["target_tokens"]),
        "instructions_per_sentence": round(instructions / metrics["texts"]),
    }


def _output(command):
    """Runs a command and returns its standard output."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        sys.exit(f"error: {command[0]} failed ({lines[-1]})")
    return done.stdout


if __name__ == "__main__":
    main()
