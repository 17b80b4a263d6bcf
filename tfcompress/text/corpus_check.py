"""Looks through a corpus for examples that are better left out, and writes a clean copy."""

import base64
import collections
import contextlib
import dataclasses
import functools
import hashlib
import json
import os
import shutil
import statistics
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice, zip_longest
from pathlib import Path

import numpy as np

from tfcompress.digests import digest
from tfcompress.engine import Engine, EngineError
from tfcompress.errors import InputError
from tfcompress.files import check_writable, remove_leftovers
from tfcompress.journal import Journal
from tfcompress.locks import FolderLock
from tfcompress.text.corpora import corpus_files
from tfcompress.text.faults import BROKEN, FAULTS, CorpusRules, Sides, example_fault, scripts
from tfcompress.text.labelled_corpora import ENDINGS
from tfcompress.text.lines import open_bytes, open_compressed
from tfcompress.text.repetitions import Repetitions
from tfcompress.text.text_stream import changed_message, file_states

REPORT, REMOVED = "report.json", "removed.tsv"
_SAMPLE = 20_000
_SHOWN = 5
# Lines that are judged together.
_CHUNK = 2_000
# What a line is, in one byte.
_HEADING = 0
_CODES: dict[str | None, int] = {name: code for code, name in enumerate((None, *FAULTS), start=1)}
_NAMES = {code: name for name, code in _CODES.items()} | {_HEADING: None}
# What is seen in an example: its fault by itself, and the hashes of what it repeats others by.
_SEEN = np.dtype([("fault", "u1"), ("first", "<u8"), ("second", "<u8")])


@dataclass(frozen=True)
class SplitReport:
    """What was found in a split.

    Attributes:
        examples: Lines.
        faults: How many lines have each fault, by its name; a line counts once.
        first: The numbers of the first lines with each, from 1.
    """

    examples: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    first: dict[str, list[int]] = field(default_factory=dict)

    @property
    def good(self) -> int:
        """Lines without a fault."""
        return self.examples - sum(self.faults.values())


@dataclass(frozen=True)
class CorpusReport:
    """What was found in a corpus.

    Attributes:
        corpus: Where it lies.
        rules: What counted as a fault.
        splits: The reports by split.
    """

    corpus: str
    rules: CorpusRules
    splits: dict[str, SplitReport]

    def to_dict(self) -> dict:
        """Returns the report as JSON has it."""
        report = dataclasses.asdict(self)
        for name, split in self.splits.items():
            report["splits"][name]["good"] = split.good
        return report

    def __str__(self) -> str:
        lines = []
        for name, split in self.splits.items():
            lines.append(f"{name}: {split.good:,} of {split.examples:,} lines are good")
            for fault, count in split.faults.items():
                numbers = ", ".join(map(str, split.first[fault]))
                more = ", ..." if count > len(split.first[fault]) else ""
                plural = "line" if count == 1 else "lines"
                lines.append(f"  {count:,} {fault}: {FAULTS[fault]} ({plural} {numbers}{more})")
        return "\n".join(lines)


def check_corpus(
    path: str | os.PathLike,
    *,
    source_language: str | None = None,
    target_language: str | None = None,
    train: str = "train",
    valid: str = "valid",
    test: str = "test",
    rules: CorpusRules = CorpusRules(),  # noqa: B008
    engine: Engine | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> CorpusReport:
    """Looks for examples that are better left out of a corpus.

    Reads lines one by one; of each, one byte stays in memory. See `FAULTS` for what is looked for.
    Of several faults of a line the first counts, and of lines that repeat each other the first is
    good. In validation and test only what is broken counts ("encoding", "columns", "control",
    "empty"): a test set stays what it is.

    Args:
        path: The corpus: a folder or a `.tsv` file as for `load_corpus`, or a folder of labelled
            texts as for `load_labelled_corpus`.
        source_language: As for `load_corpus`, like all that follows.
        target_language: The language translated into.
        train: The stem of the training files.
        valid: The stem of the validation files.
        test: The stem of the test files.
        rules: What counts as a fault.
        engine: Where lines are judged, entered; this process by default.
        progress: Called with the number of lines that are judged and the number of all.

    Raises:
        InputError: There is no such corpus, a file cannot be read or changed meanwhile, or two
            files have unequal numbers of lines.

    Example:

    >>> print(tfc.text.check_corpus("pairs.en-de.tsv"))
    train: 40 of 41 lines are good
      1 empty: a side is blank (line 41)
    """
    files = _files(path, source_language, target_language, train, valid, test)
    return _run(files, path, rules, _Seeing(engine or Engine(), files, progress))


def clean_corpus(
    path: str | os.PathLike,
    output: str | os.PathLike,
    *,
    source_language: str | None = None,
    target_language: str | None = None,
    train: str = "train",
    valid: str = "valid",
    test: str = "test",
    rules: CorpusRules = CorpusRules(),  # noqa: B008
    engine: Engine | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> CorpusReport:
    """Writes a copy of a corpus without the lines that `check_corpus` finds fault with.

    Lines stay as they are and in their order. Beside the files of the same names are `report.json`
    and `removed.tsv`, with the split, number, fault and content of each line that is left out.
    Until it is complete, what lines are judged by stands in `OUTPUT.journal`, with which the same
    call goes on after its process was ended.

    Args:
        path: As for `check_corpus`.
        output: A folder to write, which appears complete or not at all. For a `.tsv` file, the
            folder that the clean file is put into.
        source_language: As for `check_corpus`, like all that follows.
        target_language: The language translated into.
        train: The stem of the training files.
        valid: The stem of the validation files.
        test: The stem of the test files.
        rules: What counts as a fault.
        engine: As for `check_corpus`.
        progress: As for `check_corpus`.

    Returns:
        What was found.

    Raises:
        InputError: As for `check_corpus`; or the output exists or cannot be written, or no line of
            a split is good.

    Example:

    >>> report = tfc.text.clean_corpus("pairs.en-de.tsv", "clean")
    >>> report.splits["train"].good
    40
    """
    output = Path(output)
    if os.path.lexists(output):
        raise InputError(f"The folder exists already. Received: {output}. Give another folder.")
    check_writable(output)
    files = _files(path, source_language, target_language, train, valid, test)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with FolderLock(output.with_name(f"{output.name}.lock"), output):
            remove_leftovers(output.parent, output.name)
            with _journal(output, files, rules) as journal:
                seeing = _Seeing(engine or Engine(), files, progress, journal)
                return _write(files, path, rules, seeing, output)
    except OSError as error:
        raise InputError(
            f"The folder cannot be written. Received: {output} ({error.strerror or error}). Give "
            "another folder."
        ) from error


@contextlib.contextmanager
def _journal(output, files, rules):
    """What lines are judged by; it stays where the same call may go on."""
    states = [
        (split, [dataclasses.astuple(state) for state in file_states(paths)])
        for split, paths in files.splits.items()
    ]
    job = digest([dataclasses.asdict(rules), states, _CHUNK, FAULTS])
    journal = Journal(output.with_name(f"{output.name}.journal"), job)
    if journal.is_other:
        journal.restart()
    try:
        with journal:
            yield journal
    except EngineError:
        raise
    except InputError:
        journal.path.unlink()
        raise
    journal.path.unlink()


def _write(files, path, rules, seeing, output) -> CorpusReport:
    folder = Path(tempfile.mkdtemp(dir=output.parent, prefix=f".{output.name}."))
    try:
        with _Writer(folder, files) as writer:
            report = _run(files, path, rules, seeing, writer)
        for name, split in report.splits.items():
            if not split.good:
                raise InputError(
                    f"No line of {name} is good, and nothing was written. Received: {path}. "
                    "Give other rules or files."
                )
        text = json.dumps(report.to_dict(), indent=2, ensure_ascii=False) + "\n"
        (folder / REPORT).write_text(text, encoding="utf-8")
        folder.chmod(0o755)
        os.rename(folder, output)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return report


@dataclass(frozen=True)
class _Files:
    """The files of a corpus by split: one, of columns, or one for each side."""

    splits: dict[str, tuple[Path, ...]]
    columns: int
    labelled: bool


def _files(path, source_language, target_language, train, valid, test):
    path = Path(path)
    stems = {"train": train, "valid": valid, "test": test}
    if path.is_dir():
        labelled = {
            split: (file,)
            for split, stem in stems.items()
            if (file := _labelled_file(path, split, stem)) is not None
        }
        if "train" in labelled:
            return _Files(labelled, columns=2, labelled=True)
    splits = corpus_files(
        path,
        stems,
        source_language=source_language,
        target_language=target_language,
    )
    return _Files(splits, columns=2, labelled=False)


def _labelled_file(folder, split, stem):
    stems = [stem, "dev"] if split == "valid" and stem == "valid" else [stem]
    candidates = [folder / f"{name}{end}" for name in stems for end in ENDINGS]
    return next((path for path in candidates if path.is_file()), None)


@dataclass(frozen=True)
class _Line:
    number: int
    raw: tuple[bytes, ...]
    columns: tuple[str, ...] | None
    fault: str | None = None


def _lines(files, split) -> Iterator[_Line]:
    """Yields the lines of a split, aligned; a heading is left to the writer."""
    paths = files.splits[split]
    for number, raw in enumerate(zip_longest(*map(_raw_lines, paths)), start=1):
        if None in raw:
            counts = [sum(1 for _ in _raw_lines(path)) for path in paths]
            raise InputError(
                f"Line N of one file must translate line N of the other. Received: {paths[0]} "
                f"with {counts[0]} lines, {paths[1]} with {counts[1]}. Give files of as many "
                "lines."
            )
        try:
            columns = [line.decode("utf-8-sig" if number == 1 else "utf-8") for line in raw]
        except UnicodeDecodeError:
            yield _Line(number, raw, None, "encoding")
            continue
        if len(paths) == 1:
            columns = columns[0].split("\t")
            if len(columns) != files.columns:
                blank = not "".join(columns).strip()
                yield _Line(number, raw, None, "empty" if blank else "columns")
                continue
        yield _Line(number, raw, tuple(columns))


def _raw_lines(path) -> Iterator[bytes]:
    with open_bytes(path) as file:
        for line in file:
            yield line.removesuffix(b"\n").removesuffix(b"\r")


def _run(files, path, rules, seeing, writer=None) -> CorpusReport:
    sides = _sides(files)
    # Training comes last, as it must not have what validation and test have.
    held_out: set[int] = set()
    reports = {}
    for split in sorted(files.splits, key=lambda split: split == "train"):
        look = functools.partial(_look, files.labelled, sides, rules)
        with Repetitions(by_both=not files.labelled) as repetitions:
            judge = _Judge(held_out, split == "train", repetitions)
            reports[split] = _split_report(files, split, seeing, look, judge, writer)
        if split != "train":
            held_out |= judge.texts
    return CorpusReport(str(path), rules, {split: reports[split] for split in files.splits})


def _split_report(files, split, seeing, look, judge, writer) -> SplitReport:
    states = file_states(files.splits[split])
    faults = bytearray()  # Of each line; 0 for a heading.
    for chunk, seen in seeing(look, _lines(files, split)):
        for line, (code, *hashes) in zip(chunk, seen.tolist(), strict=True):
            if files.labelled and line.number == 1 and line.columns and _is_heading(line.columns):
                faults.append(_HEADING)
            else:
                fault = line.fault or judge(_NAMES[code], *hashes, len(faults))
                faults.append(_CODES[fault])
    judge.mark_repetitions(np.frombuffer(faults, np.uint8))
    if len(faults) == faults.count(_HEADING):
        raise InputError(
            f"The file is empty. Received: {files.splits[split][0]}. Give at least one example."
        )
    if writer is not None:
        for line, code in zip(_lines(files, split), faults):
            if code in (_HEADING, _CODES[None]):
                writer.keep(split, line)
            else:
                writer.remove(split, line, _NAMES[code])
    if file_states(files.splits[split]) != states:
        raise InputError(changed_message(files.splits[split]))
    counts = {fault: faults.count(_CODES[fault]) for fault in FAULTS}
    counts = {fault: count for fault, count in counts.items() if count}
    first = {fault: [*_places(faults, _CODES[fault])] for fault in counts}
    return SplitReport(len(faults) - faults.count(_HEADING), counts, first)


def _places(faults, code):
    """Gives the numbers of the first lines with a fault."""
    place = -1
    for _ in range(min(_SHOWN, faults.count(code))):
        place = faults.index(code, place + 1)
        yield place + 1


class _Seeing:
    """Sees what is in lines, many of them together; what a journal has is not seen again."""

    def __init__(self, engine, files, progress, journal=None):
        self._engine, self._progress, self._journal = engine, progress, journal
        self._known = iter(() if journal is None else journal)
        self._done = 0
        self._total = 0
        if progress is not None:
            paths = (paths[0] for paths in files.splits.values())
            self._total = sum(sum(1 for _ in _raw_lines(path)) for path in paths)

    def __call__(self, look, lines) -> Iterator[tuple[list[_Line], np.ndarray]]:
        """Yields lines and what was seen in each."""
        chunks = iter(lambda: [*islice(lines, _CHUNK)], [])
        for chunk in chunks:
            entry = next(self._known, None)
            if entry is None:
                chunks = chain([chunk], chunks)
                break
            yield self._seen(chunk, base64.b64decode(entry))
        waiting: collections.deque = collections.deque()

        def rows():
            for chunk in chunks:
                waiting.append(chunk)
                yield [line.columns for line in chunk]

        for content in self._engine.map(look, rows()):
            if self._journal is not None:
                self._journal.append([base64.b64encode(content).decode()])
            yield self._seen(waiting.popleft(), content)

    def _seen(self, chunk, content):
        self._done += len(chunk)
        if self._progress is not None:
            self._progress(self._done, self._total)
        return chunk, np.frombuffer(content, _SEEN)


def _look(labelled, sides, rules, rows) -> bytes:
    """What is seen in examples; nothing in one whose line is broken."""
    seen = np.zeros(len(rows), _SEEN)
    for place, row in enumerate(rows):
        if row is not None:
            fault = example_fault(row[:1] if labelled else row, sides, rules)
            seen[place] = _CODES[fault], _hash(row[0]), _hash(row[1])
    return seen.tobytes()


def _is_heading(columns):
    return columns[-1].strip().lower() == "label"


def _sides(files) -> Sides:
    """What the first training examples are like."""
    counts = [Counter(), Counter()]
    ratios = []
    for line in islice(_lines(files, "train"), _SAMPLE):
        if line.columns is None:
            continue
        for count, text in zip(counts, line.columns):
            count += scripts(text)
        if all(line.columns):
            ratios.append(len(line.columns[1]) / len(line.columns[0]))
    letters = tuple(count.most_common(1)[0][0] if count else "" for count in counts)
    if files.labelled:
        return Sides(letters[:1])
    return Sides(letters, statistics.median(ratios) if ratios else 1.0)


class _Judge:
    """Finds the fault of each example, repetitions afterwards."""

    def __init__(self, held_out, trains, repetitions):
        self.texts: set[int] = set()
        self._held_out = held_out
        self._trains = trains
        self._repetitions = repetitions

    def __call__(self, fault: str | None, first: int, second: int, place: int) -> str | None:
        if not self._trains:
            self.texts.add(first)
            return fault if fault in BROKEN else None
        if fault is not None:
            return fault
        self._repetitions.add(place, first, second)
        return "in_test" if first in self._held_out else None

    def mark_repetitions(self, faults: np.ndarray) -> None:
        """Notes the fault of examples that repeat an earlier one, or contradict it."""
        for places, same in self._repetitions.find():
            faults[places.astype(np.int64)] = np.where(same, _CODES["duplicate"], _CODES["label"])


def _hash(text):
    content = hashlib.blake2b(" ".join(text.split()).encode(), digest_size=8).digest()
    return int.from_bytes(content, "big")


class _Writer:
    """Writes the lines that stay, and those that do not."""

    def __init__(self, folder, files):
        self._outputs = {
            split: [open_compressed(folder / path.name) for path in paths]
            for split, paths in files.splits.items()
        }
        self._removed = (folder / REMOVED).open("wb")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        for file in (self._removed, *(f for files in self._outputs.values() for f in files)):
            file.close()

    def keep(self, split, line):
        for file, raw in zip(self._outputs[split], line.raw):
            file.write(raw + b"\n")

    def remove(self, split, line, fault):
        head = f"{split}\t{line.number}\t{fault}\t".encode()
        self._removed.write(head + b"\t".join(line.raw) + b"\n")
