"""Translates many sentences in one process and in two, one of which is killed in the middle.

    python benchmarks/decoding_drill.py FOLDER [--sentences 1000000]

Afterwards the drill's own process is killed too, and the same command goes on. Each output must be
that of one process: complete, in order, each sentence once.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
from results_file import write_results

RESULTS = Path(__file__).parent / "results" / "decoding-drill.json"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="for the teacher and the sentences")
    parser.add_argument("--sentences", type=int, default=1_000_000)
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    folder = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    bundle, source = make_teacher(folder), folder / "source.en"
    write_sentences(source, options.sentences)
    runs = {
        "one worker": measure(bundle, source, folder / "one.de", workers=1),
        "two workers": measure(bundle, source, folder / "two.de", workers=2),
        "two workers, one killed": measure(
            bundle, source, folder / "worker.de", workers=2, kill=kill_worker
        ),
        "two workers, all killed and started again": measure(
            bundle, source, folder / "all.de", workers=2, kill=kill_all
        ),
    }
    expected = (folder / "one.de").read_bytes()
    for name, file in zip(runs, ("one.de", "two.de", "worker.de", "all.de")):
        content = (folder / file).read_bytes()
        runs[name]["lines"] = content.count(b"\n")
        runs[name]["as one worker"] = content == expected
        runs[name]["sentences per second"] = options.sentences / runs[name]["seconds"]
    ratio = runs["one worker"]["seconds"] / runs["two workers"]["seconds"]
    write_results(
        options.results,
        {"sentences": options.sentences, "runs": runs, "two workers / one worker": ratio},
    )
    for name, run in runs.items():
        print(f"{name}: {run}")
    if not all(run["as one worker"] for run in runs.values()):
        sys.exit("An output differs.")


def make_teacher(folder):
    """Returns the bundle of a tiny translator of the shipped phrases."""
    bundle = folder / "teacher" / "bundles" / "dynamic_int8"
    if not bundle.exists():
        recipe = folder / "teacher.yaml"
        recipe.write_text(
            """
name: teacher
corpus: {format: phrases, pairs: 4000}
tokenizer: {vocabulary_size: 512}
model:
  hidden_dim: 32
  encoder: {num_layers: 1, attention: {num_heads: 2}, feed_forward: {intermediate_dim: 64}}
  decoder: {num_layers: 1, attention: {num_heads: 2}, feed_forward: {intermediate_dim: 64}}
  embedding: {share: true}
  max_source_length: 64
  max_target_length: 64
training: {updates: 200, batch_tokens: 1024, evaluate_every: 100, evaluate_sentences: 0}
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

    sources = phrase_corpus(pairs=5000, seed=1).splits["train"][0]
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            file.write(f"{sources[number % len(sources)]} {number}\n")


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
