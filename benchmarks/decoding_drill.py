"""Translates many sentences in two processes, one of which is killed in the middle.

    python benchmarks/decoding_drill.py FOLDER [--sentences 1000000]

Afterwards the drill's own process is killed too, and the same command goes on. The sentences are
40,000 phrases again and again, so that what one process makes of those says what each output must
be: complete, in order, each sentence once. A tenth of the sentences is translated without a kill by
one process and by two, to compare their speed.
"""

import argparse
import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
from results_file import write_results

RESULTS = Path(__file__).parent / "results" / "decoding_drill.json"
DISTINCT = 40_000


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="for the teacher and the sentences")
    parser.add_argument("--sentences", type=int, default=1_000_000)
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    folder = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    bundle, many, few = make_teacher(folder), folder / "many.en", folder / "few.en"
    write_sentences(many, options.sentences)
    write_sentences(few, min(options.sentences, max(DISTINCT, options.sentences // 10)))
    plan = {
        "one worker": (few, 1, None),
        "two workers": (few, 2, None),
        "two workers, one killed": (many, 2, kill_worker),
        "two workers, all killed and started again": (many, 2, kill_all),
    }
    runs, expected = {}, []
    for name, (source, workers, kill) in plan.items():
        output = folder / "output.de"
        runs[name] = measure(bundle, source, output, workers=workers, kill=kill)
        lines = output.read_text(encoding="utf-8").split("\n")[:-1]
        expected = expected or lines[:DISTINCT]
        count = len(few.read_bytes().splitlines()) if source is few else options.sentences
        runs[name] |= {
            "sentences": count,
            "complete and in order": len(lines) == count
            and all(one == other for one, other in zip(lines, itertools.cycle(expected))),
            "sentences per second": count / runs[name]["seconds"],
        }
        print(f"{name}: {runs[name]}", flush=True)
    ratio = runs["one worker"]["seconds"] / runs["two workers"]["seconds"]
    distinct = len(set(expected))
    write_results(
        options.results,
        {"distinct lines": distinct, "runs": runs, "one worker / two workers": ratio},
    )
    if distinct < len(expected) / 2:
        sys.exit(f"The teacher says too little: {distinct} distinct lines of {len(expected)}.")
    if not all(run["complete and in order"] for run in runs.values()):
        sys.exit("An output differs.")
    if not all(runs[name]["kills"] for name, (_, _, kill) in plan.items() if kill):
        sys.exit("Nothing was killed: give more sentences.")


def make_teacher(folder):
    """Returns the bundle of a tiny translator of the shipped phrases."""
    bundle = folder / "teacher" / "bundles" / "dynamic_int8"
    if not bundle.exists():
        recipe = folder / "teacher.yaml"
        recipe.write_text(
            """
name: teacher
corpus: {format: phrases, pairs: 20000}
tokenizer: {vocabulary_size: 1000}
model:
  hidden_dim: 64
  encoder: {num_layers: 1, attention: {num_heads: 2}, feed_forward: {intermediate_dim: 128}}
  decoder: {num_layers: 1, attention: {num_heads: 2}, feed_forward: {intermediate_dim: 128}}
  embedding: {share: true}
  max_source_length: 64
  max_target_length: 64
training:
  updates: 1500
  batch_tokens: 1024
  evaluate_every: 500
  evaluate_sentences: 0
  learning_rate: 0.005
  warmup: 300
quantizations: [dynamic_int8]
benchmark: {sentences: 4, runs: 1}
""",
            encoding="utf-8",
        )
        if run("train", recipe, "--run", folder / "teacher", "--quiet").wait():
            sys.exit("The teacher cannot be trained.")
    return bundle


def write_sentences(path, count):
    from tfcompress.text.phrases import phrase_corpus

    sources = phrase_corpus(pairs=50_000, seed=1).splits["train"][0][:DISTINCT]
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            file.write(f"{sources[number % len(sources)]}\n")


def measure(bundle, source, output, *, workers, kill=None):
    """Returns the seconds that a translation took, with a kill when a third is done."""
    for path in output.parent.glob(f"{output.name}*"):
        path.unlink()
    arguments = ["translate", bundle, "--input", source, "--output", output, "--workers", workers]
    journal = output.with_name(f"{output.name}.journal")
    begin = time.monotonic()
    process, kills = run(*arguments), 0
    while process.poll() is None:
        time.sleep(0.05)
        begun = journal.stat().st_size if journal.exists() else 0
        # An entry of the journal is longer than its sentence.
        if kill is not None and not kills and begun > source.stat().st_size / 3:
            kills = kill(process)
    if kills and kill is kill_all:
        process = run(*arguments)
        process.wait()
    if process.returncode:
        sys.exit(f"{output} failed with exit code {process.returncode}")
    return {"seconds": time.monotonic() - begin, "kills": kills}


def kill_worker(process):
    """Kills the worker that uses the most memory, none of the processes that watch over it."""
    children = psutil.Process(process.pid).children(recursive=True)
    max(children, key=lambda child: child.memory_info().rss).kill()
    return 1


def kill_all(process):
    """Kills the process, whose workers then end by themselves."""
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    return 1


def run(*arguments):
    command = [sys.executable, "-m", "tfcompress", *map(str, arguments)]
    return subprocess.Popen(command, env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"})


if __name__ == "__main__":
    main()
