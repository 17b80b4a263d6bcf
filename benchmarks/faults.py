"""Fault drills: a run that is killed, damaged, short of disk or shared, and what becomes of it.

python benchmarks/faults.py FOLDER [--kills 40] [--damages 60] [--full-disks 20]

A tiny translator is trained, exported, evaluated and timed in FOLDER, again and again: killed with
SIGKILL at one of the file operations that it makes, with a file of the finished run truncated,
emptied, flipped, removed or unreadable, with a disk that is full from one of the files on that it
writes, and by two processes at once. Then the same command runs once more without a fault. A drill
is passed if what fails says so in one line, and if at last the model, its translations and the
history are what they are without any fault, nothing temporary is left, and every stage is done.

Each drill runs in a process that is forked from one in which TensorFlow is loaded and not yet used.
"""

import argparse
import copy
import errno
import json
import os
import random
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from tfcompress.errors import InputError
from tfcompress.pipeline.identity import model_digest
from tfcompress.pipeline.recipe_files import recipe_from_mapping
from tfcompress.pipeline.run import run_recipe
from tfcompress.pipeline.run_folders import run_status
from tfcompress.text.phrases import write_corpus

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "faults.json"
STACK = {
    "num_layers": 1,
    "attention": {"num_heads": 2},
    "feed_forward": {"intermediate_dim": 32},
}
RECIPE = {
    "name": "drill",
    "corpus": {"source_language": "en", "target_language": "de"},
    "tokenizer": {"vocabulary_size": 256},
    "model": {
        "hidden_dim": 16,
        "encoder": STACK,
        "decoder": STACK,
        "embedding": {"share": True},
        "max_source_length": 48,
        "max_target_length": 48,
    },
    "training": {
        "updates": 6,
        "batch_tokens": 512,
        "evaluate_every": 2,
        "evaluate_sentences": 0,
        "schedule": "constant",
    },
    "quantizations": ["dynamic_int8"],
    "evaluation": {"beam_size": 1, "examples": 1},
    "benchmark": {"sentences": 2, "runs": 1},
}
LONGER = 8
# What a process tells the file system when it changes it.
EVENTS = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate")
DAMAGES: dict[str, Callable[[Path], object]] = {
    "truncated": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "emptied": lambda path: path.write_bytes(b""),
    "flipped": lambda path: _flip(path),
    "removed": lambda path: path.unlink(),
    "unreadable": lambda path: None,  # by the process' audit hook, as root may read anything
}


class Drills:
    """Runs drills in a folder.

    Args:
        folder: An empty folder.
    """

    def __init__(self, folder: Path):
        # As the hook that makes faults sees it.
        self.folder = folder = folder.resolve()
        self.results: list[dict] = []
        folder.mkdir(parents=True)
        write_corpus(folder / "corpus", pairs=400, valid=20, test=6)
        self.counts = folder / "counts.json"
        self.reference = folder / "reference"
        code, lines = self.run(self.reference, count_to=self.counts)
        if code:
            raise SystemExit(f"The run without faults fails: {lines}")
        longer = self.folder / "longer"
        shutil.copytree(self.reference, longer)
        self.run(longer, updates=LONGER)
        updates = RECIPE["training"]["updates"]
        self.expected = {updates: _result(self.reference), LONGER: _result(longer)}

    def run(self, run: Path, *, updates: int | None = None, **fault) -> tuple[int, list[str]]:
        """Runs the recipe in a process of its own; returns its code and what it said."""
        out = self.folder / "output"
        child = os.fork()
        if child == 0:
            os._exit(_child(run, self.folder / "corpus", out, fault, updates))
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status), out.read_text().splitlines()

    def kill(self, number: int) -> None:
        """Kills the run at one of its file operations."""
        run = self.folder / "killed"
        code, _ = self.run(run, kill_at=number)
        # The last operations may be fewer than those that were counted.
        ok = code in (-signal.SIGKILL, 0)
        self._check(f"killed at file operation {number}", run, ok, "")

    def fill_disk(self, number: int) -> None:
        """Lets the disk be full from the time on when a file is opened to be written."""
        run = self.folder / "full"
        code, lines = self.run(run, full_at=number)
        said = lines[-1] if lines else ""
        self._check(f"disk full at file {number}", run, code == 2 and "error: " in said, said)

    def damage(self, name: str, how: str) -> None:
        """Damages a file of a finished run; one of its training before that is extended."""
        run = self.folder / "damaged"
        updates = LONGER if name.startswith("training/") else None
        shutil.copytree(self.reference, run)
        DAMAGES[how](run / name)
        fault = {"unreadable": name} if how == "unreadable" else {}
        code, lines = self.run(run, updates=updates, **fault)
        said = " / ".join(lines)
        ok = code == 0 or (code == 2 and lines[-1].startswith("error: "))
        if code == 2:  # refused in a line: with the file put back nothing is lost
            shutil.copy2(self.reference / name, run / name)
        self._check(f"{name} {how}", run, ok, said, updates)

    def share(self) -> None:
        """Two processes at once: one of them works, the other says so; then the first is killed."""
        run, out = self.folder / "shared", self.folder / "first"
        child = os.fork()
        if child == 0:
            os._exit(_child(run, self.folder / "corpus", out, {}, None))
        while not (run / "training" / "state").exists():
            time.sleep(0.05)
        code, lines = self.run(run)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        ok = code == 2 and f"process {child}" in lines[-1]
        self._check("two processes, the first killed", run, ok, lines[-1])

    def _check(self, drill, run, ok, said, updates=None):
        code, lines = self.run(run, updates=updates)
        problems = [] if ok else [f"the fault ended otherwise: {said}"]
        if code:
            problems.append(f"the run after it fails: {lines}")
        else:
            problems += _problems(run, self.expected[updates or RECIPE["training"]["updates"]])
        self.results.append({"drill": drill, "passed": not problems, "said": said})
        mark = "passed" if not problems else f"FAILED: {'; '.join(problems)}"
        print(f"{drill}: {mark}" + (f" ({said})" if said else ""), flush=True)
        if problems:
            shutil.rmtree(run.with_name(f"{run.name}-{len(self.results)}"), ignore_errors=True)
            run.rename(run.with_name(f"{run.name}-{len(self.results)}"))
        else:
            shutil.rmtree(run)


def _child(run, corpus, out, fault, updates):
    """Runs the recipe with a fault and returns the exit code of the command line."""
    with open(out, "w", buffering=1) as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
        recipe = copy.deepcopy(RECIPE)
        recipe["training"]["updates"] = updates or recipe["training"]["updates"]
        hook = _Fault(run, **fault)
        sys.addaudithook(hook)
        try:
            run_recipe(
                recipe_from_mapping(recipe),
                run,
                corpus=corpus,
                verbose=0,
                log=lambda line: output.write(f"{line}\n"),
            )
        except (InputError, OSError) as error:
            output.write(f"error: {' '.join(str(error).split())}\n")
            return 2
        except BaseException as error:
            from tfcompress.commands.main import _cause

            cause = _cause(error) if isinstance(error, Exception) else None
            output.write(traceback.format_exc() if cause is None else f"error: {cause}\n")
            return 1 if cause is None else 2
        hook.finish()
        return 0


class _Fault:
    """Sees what the process does with the files of a run, and lets something go wrong."""

    def __init__(self, run, kill_at=None, full_at=None, unreadable=None, count_to=None):
        self._run, self._kill_at, self._full_at = str(run), kill_at, full_at
        self._unreadable = None if unreadable is None else str(run / unreadable)
        self._count_to = count_to
        self._operations = self._writes = 0

    def __call__(self, event, arguments):
        if event == "open":
            path, _, flags = arguments
            path = os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else ""
            if not path.startswith(self._run):
                return
            if path == self._unreadable and not flags & os.O_CREAT:
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
            if flags & (os.O_WRONLY | os.O_RDWR):
                self._writes += 1
                if self._full_at is not None and self._writes >= self._full_at:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
                self._operate()
        elif event in EVENTS and str(arguments[0]).startswith(self._run):
            self._operate()

    def _operate(self):
        self._operations += 1
        if self._operations == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def finish(self):
        if self._count_to is not None:
            counts = {"operations": self._operations, "writes": self._writes}
            self._count_to.write_text(json.dumps(counts))


def _flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _result(run):
    evaluation = json.loads((run / "evaluation" / "dynamic_int8.json").read_text())
    history = json.loads((run / "training" / "history.json").read_text())
    points = [{**point, "seconds": None} for point in history]
    return model_digest(run / "model"), evaluation["translations"], points


def _problems(run, expected):
    names = ("model", "translations", "history")
    for name, one, other in zip(names, _result(run), expected):
        if one != other:
            yield f"another {name}"
    for path in run.rglob(".*"):
        yield f"{path.name} is left"
    status = run_status(run)
    yield from (f"{name} is {state}" for name, state in status.stages.items() if state != "done")


def _sample(items, count, random_state):
    items = list(items)
    return items if len(items) <= count else sorted(random_state.sample(items, count))


def main() -> None:
    """Runs the drills and writes how they ended."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--damages", type=int, default=60)
    parser.add_argument("--full-disks", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    import tensorflow  # noqa: F401 (loaded once, for all that are forked)

    import tfcompress.export
    import tfcompress.training  # noqa: F401
    from tfcompress.reporting import provenance

    measured = provenance.measurement()
    drills, chance = Drills(options.folder), random.Random(options.seed)
    counts = json.loads(drills.counts.read_text())
    for number in _sample(range(1, counts["operations"] + 1), options.kills, chance):
        drills.kill(number)
    for number in _sample(range(1, counts["writes"] + 1), options.full_disks, chance):
        drills.fill_disk(number)
    names = [
        path.relative_to(drills.reference).as_posix()
        for path in sorted(drills.reference.rglob("*"))
        if path.is_file() and "tensorboard" not in path.parts
    ]
    pairs = [(name, how) for name in names for how in DAMAGES]
    for name, how in _sample(pairs, options.damages, chance):
        drills.damage(name, how)
    drills.share()
    passed = sum(result["passed"] for result in drills.results)
    content = {
        **measured,
        **counts,
        "files": len(names),
        "passed": passed,
        "drills": drills.results,
    }
    text = json.dumps(content, indent=1)
    # Where it ran says nothing to others.
    for place, name in ((options.folder.resolve(), "FOLDER"), (f"{ROOT}/", "")):
        text = text.replace(str(place), name)
    options.output.write_text(f"{text}\n")
    print(f"{passed} of {len(drills.results)} drills passed")
    sys.exit(passed < len(drills.results))


if __name__ == "__main__":
    main()
