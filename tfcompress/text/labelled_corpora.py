"""Corpora of texts with labels: tab-separated files."""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tfcompress.errors import InputError
from tfcompress.text.characters import is_blank
from tfcompress.text.file_patterns import listed, matching_files
from tfcompress.text.line_checks import check_lines
from tfcompress.text.lines import iterate_lines
from tfcompress.text.text_stream import (
    MOST_CLASSES,
    ClassColumn,
    StreamCorpus,
    TextStream,
    split_content,
)

ENDINGS = (".tsv", ".tsv.gz", ".tsv.zst")
_NUMBER = re.compile("0|[1-9][0-9]{0,8}")


@dataclass(frozen=True)
class LabelledCorpus(StreamCorpus):
    """Texts, each of one class, by split.

    Attributes:
        name: The corpus's name, for reports.
        labels: The names of the classes, in the order of their numbers.
        splits: `"train"`, `"valid"` and, where there is one, `"test"`: each a list of texts and a
            list of the numbers of their classes.
    """

    name: str
    labels: tuple[str, ...]
    splits: dict[str, tuple[Sequence[str], Sequence[int]]]

    def digest(self) -> str:
        """Returns 16 hexadecimal digits that change when any text or label changes."""
        splits = {split: split_content(columns) for split, columns in self.splits.items()}
        content = json.dumps([self.labels, splits], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]


def load_labelled_corpus(
    folder: str | Path,
    *,
    labels: Sequence[str] = (),
    train: str | Sequence[str] = "train",
    valid: str | Sequence[str] = "valid",
    test: str | Sequence[str] = "test",
) -> LabelledCorpus:
    """Loads texts with labels from a folder with a file for each split, or several.

    A file holds `text<TAB>label` lines and is called `STEM.tsv`, `STEM.tsv.gz` or
    `STEM.tsv.zst`. A first line whose second column is "label" is a heading.

    Args:
        folder: The folder.
        labels: The names of the classes, in the order of their numbers; by default what the
            training files have: 0 to the largest, where all are numbers, else in alphabetical
            order. White space around a label does not count.
        train: The stem of the training file; for several a pattern, such as `"train-*"`, or a list
            of stems or patterns. What a pattern matches is taken in the order of the names.
        valid: The same of the validation file; for `"valid"`, `"dev"` is tried too.
        test: The same of the test file; there may be none.

    Returns:
        The corpus, in memory.

    Raises:
        InputError: A file is missing or empty, a line has other columns, no text, or no or an
            unknown label, naming the line, labels are numbers too large for those of classes, or
            there are more than 10,000.

    Example:
        >>> corpus = load_labelled_corpus("sst2")
        >>> corpus.labels
        ('0', '1')
    """
    corpus = open_labelled_corpus(folder, labels=labels, train=train, valid=valid, test=test)
    return corpus.in_memory()


def open_labelled_corpus(
    folder: str | Path,
    *,
    labels: Sequence[str] = (),
    train: str | Sequence[str] = "train",
    valid: str | Sequence[str] = "valid",
    test: str | Sequence[str] = "test",
    index: str | Path | None = None,
) -> LabelledCorpus:
    """Opens texts with labels of any size: the training split stays in its files.

    Args:
        folder: As for `load_labelled_corpus`, like all that follows.
        labels: The names of the classes. Without them, the training files are read for them.
        train: The training files.
        valid: The validation files.
        test: The test files.
        index: What `LabelledCorpus.save_index` wrote, if it did: then unchanged files are not read
            again.

    Returns:
        The corpus: validation and test in memory, training as the columns of a `TextStream`.

    Raises:
        InputError: As for `load_labelled_corpus`; for what is wrong in training files, when they
            are read.

    Example:
        >>> corpus = open_labelled_corpus("sst2")
        >>> len(corpus.splits["train"][0])
        16
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(
            f"No such folder. Received: corpus {folder}. Give one with {train}.tsv and so on."
        )
    stems = dict(zip(("train", "valid", "test"), map(listed, (train, valid, test))))
    files = {split: _find(folder, split, names) for split, names in stems.items()}
    labels = tuple(label.strip() for label in labels)
    groups = [LabelledFiles(paths, labels) for paths in files["train"]]
    stream = TextStream(groups, index=index, has_classes=True)
    labels = labels or _labels(files["train"][0][0], stream.index.classes)
    splits: dict = {"train": (stream.columns[0], ClassColumn(stream, labels))}
    for split in ("valid", "test"):
        if files[split]:
            held_out = TextStream([LabelledFiles(paths, labels) for paths in files[split]])
            columns = held_out.in_memory()
            splits[split] = columns[0], [*ClassColumn(held_out, labels).values(columns)]
    return LabelledCorpus(folder.resolve().name, labels, splits)


def iterate_examples(path: str | Path, columns: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Reads a tab-separated file, a line at a time.

    Args:
        path: The file.
        columns: What its columns are called.

    Returns:
        The number and the columns of each line; a heading is left out.

    Raises:
        InputError: If there is no line, or one has other columns.
    """
    is_empty = True
    for number, line in enumerate(iterate_lines(path), start=1):
        fields = line.split("\t")
        if len(fields) != len(columns):
            raise InputError(
                f"A line has other columns. Received: {path}, line {number} with {len(fields)}. "
                f"Give {'<TAB>'.join(columns)}."
            )
        if number > 1 or fields[-1].strip().lower() != columns[-1]:
            is_empty = False
            yield number, fields
    if is_empty:
        raise InputError(
            f"The file has no examples. Received: {path}. Give {'<TAB>'.join(columns)} lines."
        )


class LabelledFiles:
    """Files of `text<TAB>label` lines.

    Args:
        paths: The files.
        labels: The labels that there may be; any by default.
    """

    columns, unit = 2, "texts"

    def __init__(self, paths: Sequence[Path], labels: Sequence[str] = ()):
        self.paths = tuple(paths)
        self._labels = frozenset(labels)
        self._listed = ", ".join(labels)

    def rows(self) -> Iterator[tuple[str, str]]:
        for path in self.paths:
            yield from self._file(path)

    def _file(self, path):
        blank: dict[str, list[int]] = {"text": [], "label": []}
        unknown = None
        for number, (text, label) in iterate_examples(path, ("text", "label")):
            label = label.strip()
            if is_blank(text):
                blank["text"].append(number)
            elif is_blank(label):
                blank["label"].append(number)
            elif self._labels and label not in self._labels:
                unknown = unknown or (number, label)
            else:
                yield text, label
        for name, numbers in blank.items():
            check_lines(path, numbers, f"without {name}; remove them")
        if unknown is not None:
            number, label = unknown
            raise InputError(
                f"The label is none of the classes. Received: {path}, line {number}, label "
                f"{label!r}. Give one of {self._listed}."
            )


def _find(folder, split, names) -> list[list[Path]]:
    """Returns the files of each name or pattern."""
    groups = [[*matching_files(folder, name, ENDINGS[:1]).values()] for name in names]
    if split == "valid" and names == ["valid"] and not any(groups):
        groups = [[*matching_files(folder, "dev", ENDINGS[:1]).values()]]
    if split == "test" and not any(groups):
        return []
    for name, paths in zip(names, groups):
        if not paths:
            raise InputError(
                f"There is no {split} file {name}.tsv or {name}.tsv.gz. Received: corpus {folder}. "
                f"Add it, or give the stem of the {split} file."
            )
    return groups


def _labels(path, names) -> tuple[str, ...]:
    # What is written otherwise, such as 007, is a name.
    if not all(map(_NUMBER.fullmatch, names)):
        if len(names) > MOST_CLASSES:
            raise InputError(
                f"The labels must be at most {MOST_CLASSES:,}. Received: more in {path}. Put one "
                "of few classes into the second column."
            )
        return tuple(sorted(names))
    classes = 1 + max(map(int, names))
    if classes > MOST_CLASSES:
        raise InputError(
            f"Labels that are numbers are those of classes, at most {MOST_CLASSES - 1:,}. "
            f"Received: {classes - 1} in {path}. Name the labels under `labels`."
        )
    return tuple(map(str, range(classes)))
