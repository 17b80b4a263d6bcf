"""Engines next to each other, on the same sentences, in turns."""

import argparse
import contextlib
import itertools
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

from engine_process import Engine, EngineMissingError, EngineProcess
from results_file import read_rows, write_results
from rounds import median, speeds_in_turns
from students import STUDENTS, num_tokens, write_student

# As many as the largest batch.
NUM_SENTENCES = 32


def arguments(
    doc: str, *, students: Sequence[str], decoders: Sequence[str], batch_sizes: Sequence[int]
) -> argparse.ArgumentParser:
    """Returns the command line of a comparison.

    Args:
        doc: Of the script.
        students: Those that are measured unless others are named.
        decoders: The same of decoders.
        batch_sizes: The same of batches.
    """
    parser = argparse.ArgumentParser(description=doc.split("\n")[0])
    parser.add_argument("--output", type=Path, help="JSON file; without, students are written only")
    parser.add_argument("--files", type=Path, help="folder that keeps the students")
    parser.add_argument("--students", nargs="*", default=students, choices=STUDENTS)
    parser.add_argument("--decoders", nargs="*", default=decoders, choices=decoders)
    parser.add_argument("--batch-sizes", nargs="*", type=int, default=batch_sizes)
    parser.add_argument("--vocabulary-size", type=int, default=32000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--sentences", type=int, default=8, help="of a round, or one batch if more")
    parser.add_argument("--words", type=int, default=20, help="words of a sentence")
    return parser


def compare_all(options: argparse.Namespace, engines: Mapping[str, Mapping[str, Engine]]) -> None:
    """Measures all cells of a table.

    Args:
        options: What `arguments` parsed.
        engines: By name, for each decoder.
    """
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    about = {"core": core, "num_words": options.words, "rounds": options.rounds}
    with contextlib.ExitStack() as stack:
        files = options.files or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for student, decoder in itertools.product(options.students, options.decoders):
            folder = files / f"{student}_{decoder}"
            write_student(
                folder,
                student,
                decoder,
                vocabulary_size=options.vocabulary_size,
                num_words=options.words,
                num_sentences=NUM_SENTENCES,
            )
            if options.output is None:
                continue
            for batch_size, shortlist in itertools.product(options.batch_sizes, (False, True)):
                compare_engines(
                    options.output,
                    {
                        "student": student,
                        "decoder": decoder,
                        "batch_size": batch_size,
                        "shortlist": shortlist,
                    },
                    folder,
                    engines[decoder],
                    num_sentences=max(options.sentences, batch_size),
                    num_tokens=num_tokens(options.words),
                    rounds=options.rounds,
                    about=about,
                )


def compare_engines(
    output: Path,
    cell: Mapping[str, Any],
    folder: Path,
    engines: Mapping[str, Engine],
    *,
    num_sentences: int,
    num_tokens: int,
    rounds: int,
    about: Mapping[str, Any],
) -> None:
    """Measures one cell of a table and adds its rows to a file, unless they are there already.

    Args:
        output: JSON file, written anew with each cell.
        cell: What its rows begin with, `batch_size` and `shortlist` among it.
        folder: What `write_student` wrote.
        engines: By name; those that lack what the cell needs are left out.
        num_sentences: Sentences of a round, the first of the folder's.
        num_tokens: Tokens of every translation.
        rounds: How many, after one that does not count.
        about: What the file says beside its rows.
    """
    rows = read_rows(output)
    if any(row.items() >= cell.items() for row in rows):
        return
    settings = {
        "folder": str(folder),
        "num_sentences": num_sentences,
        "num_tokens": num_tokens,
        "batch_size": cell["batch_size"],
        "shortlist": cell["shortlist"],
    }
    with contextlib.ExitStack() as stack:
        processes = {}
        for name, engine in engines.items():
            if cell["shortlist"] and not engine.shortlists:
                continue
            if cell["batch_size"] > 1 and not engine.batches:
                continue
            try:
                processes[name] = EngineProcess(engine, settings)
            except EngineMissingError as error:
                print(f"Left out: {name}, which is not installed: {error}", flush=True)
                continue
            stack.callback(processes[name].close)
        texts = {name: process.texts() for name, process in processes.items()}
        work = {name: process.translate for name, process in processes.items()}
        speeds = speeds_in_turns(work, rounds)
        abouts = {name: process.describe() for name, process in processes.items()}
    lines = (folder / "sentences.txt").read_text().splitlines()[:num_sentences]
    words = sum(len(line.split()) for line in lines)
    for name, speed in speeds.items():
        tokens = sum(len(text.split()) for text in texts[name])
        others = [other for other in speeds if other != name]
        row = {
            **cell,
            "engine": name,
            **abouts[name],
            "tokens_per_sentence": tokens / len(texts[name]),
            "tokens_per_s": median(speed),
            "words_per_s": median(speed * words / tokens),
            "times_as_fast_as": {other: median(speed / speeds[other], 2) for other in others},
            "equal_leading_tokens": {
                other: round(equal_leading_tokens(texts[name], texts[other]), 3) for other in others
            },
        }
        print(json.dumps(row), flush=True)
        rows.append(row)
    write_results(output, {**about, "rows": rows})


def equal_leading_tokens(texts: Sequence[str], others: Sequence[str]) -> float:
    """Returns which share of tokens stands before the first that differs in its text."""
    equal = total = 0
    for one, other in zip(texts, others, strict=True):
        same = [a == b for a, b in zip(one.split(), other.split())]
        equal += len([*itertools.takewhile(bool, same)])
        total += len(one.split())
    return equal / total
