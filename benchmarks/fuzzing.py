"""Tries the native runtime's readers with altered inputs, and counts how many there were.

    cmake -S export/native -B build/fuzz -DCMAKE_CXX_COMPILER=clang++ -DTFCOMPRESS_FUZZ=ON
    cmake --build build/fuzz
    TFCOMPRESS_LITERT=... python benchmarks/fuzzing.py build/fuzz --seconds 60 --bundle BUNDLE

Each reader is a program, which goes on where it ended: what it found stays in BUILD/corpus/READER,
and begins with benchmarks/fuzz_corpora/READER, which fuzz_seeds.py wrote. Of models, manifests,
shortlists, the fields are altered; of all others, bytes, as coverage suggests. What ends a program
is in BUILD/failures. The counts are added to those of benchmarks/results/fuzzing.json.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path

from results_file import write_results

ROOT = Path(__file__).parent
CORPORA = ROOT / "fuzz_corpora"
RESULTS = ROOT / "results" / "fuzzing.json"
# In megabytes, and seconds by the clock, which a busy machine uses up too.
MEMORY, LONGEST = 2048, 120
MOST_BYTES = 1 << 17


def read(path):
    """The counts so far, by reader."""
    return json.loads(path.read_text())["readers"] if path.is_file() else {}


def try_reader(program, work, seconds, environment):
    """Runs a reader's program; returns its mutants, and the files of what ended it."""
    name = program.name.removeprefix("fuzz-")
    corpus, failures = work / "corpus" / name, work / "failures" / name
    for folder in (corpus, failures):
        folder.mkdir(parents=True, exist_ok=True)
    before = {*failures.iterdir()}
    options = [
        f"-max_total_time={seconds}",
        "-print_final_stats=1",
        f"-artifact_prefix={failures}/",
    ]
    options += [f"-rss_limit_mb={MEMORY}", f"-timeout={LONGEST}", f"-max_len={MOST_BYTES}"]
    command = [program, *options, corpus, CORPORA / name]
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    log = done.stderr.decode(errors="replace")
    (work / f"{name}.log").write_text(log)
    counted = re.search(r"number_of_executed_units: (\d+)", log)
    found = sorted(path.name for path in {*failures.iterdir()} - before)
    if done.returncode and not found:
        found = [f"exit code {done.returncode}: {log.splitlines()[-1:]}"]
    return int(counted.group(1)) if counted else 0, found


def main():
    parser = argparse.ArgumentParser(description="Tries readers with altered inputs.")
    parser.add_argument("build", type=Path, help="the folder that CMake built in")
    parser.add_argument("--seconds", type=int, default=60, help="for each reader")
    parser.add_argument("--readers", nargs="*", help="names; by default all")
    parser.add_argument("--bundle", default="", help="a translation bundle, for c_api")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    environment = os.environ | {
        "TFCOMPRESS_FUZZ_BUNDLE": options.bundle,
        # LiteRT keeps its environment for the life of the process.
        "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=0",
        "UBSAN_OPTIONS": "print_stacktrace=1",
    }
    failed = False
    for program in sorted((options.build / "fuzz").glob("fuzz-*")):
        name = program.name.removeprefix("fuzz-")
        if (options.readers and name not in options.readers) or not os.access(program, os.X_OK):
            continue
        if name == "c_api" and not options.bundle:
            continue
        mutants, failures = try_reader(program, options.build, options.seconds, environment)
        readers = read(options.results)
        count = readers.setdefault(name, {"mutants": 0, "seconds": 0})
        count["mutants"] += mutants
        count["seconds"] += options.seconds
        total = sum(one["mutants"] for one in readers.values())
        write_results(options.results, {"mutants": total, "readers": readers})
        print(f"{name}: {mutants:,} mutants; {', '.join(failures) or 'no failure'}", flush=True)
        failed = failed or bool(failures)
    sys.exit(failed)


if __name__ == "__main__":
    main()
