"""Corpora of plain texts, one text a line."""

import functools
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tfcompress.errors import InputError
from tfcompress.text.characters import is_blank
from tfcompress.text.file_patterns import (
    listed,
    listed_files,
    matching_files,
    uncompressed_name,
)
from tfcompress.text.hashed_splits import hashed_splits
from tfcompress.text.lines import iterate_lines
from tfcompress.text.row_files import Test
from tfcompress.text.text_stream import StreamCorpus, TextStream, split_content

_ENDINGS = ("", ".txt")
_SPLITS = ("train", "valid", "test")


@dataclass(frozen=True)
class TextCorpus(StreamCorpus):
    """Texts by split.

    Attributes:
        name: The corpus's name, for reports.
        splits: "train", "valid" and, where there is one, "test": each the texts, twice, as other
            corpora have sources and targets: a text is what a language model predicts of itself.

    Example:

    >>> texts, _ = load_text_corpus("corpus", train="train.en", valid="valid.en").splits["train"]
    """

    name: str
    splits: dict[str, tuple[Sequence[str], Sequence[str]]]

    def digest(self) -> str:
        """Returns 16 hexadecimal digits that change when any text changes."""
        texts = {name: split_content(split[:1]) for name, split in self.splits.items()}
        return hashlib.sha256(json.dumps(texts, sort_keys=True).encode()).hexdigest()[:16]


def load_text_corpus(
    path: str | Path | Sequence[str | Path],
    *,
    train: str | Sequence[str] = "train",
    valid: str | Sequence[str] = "valid",
    test: str | Sequence[str] = "test",
) -> TextCorpus:
    """Loads a corpus of plain texts, one a line. Blank lines are left out.

    A folder holds a file a split, `STEM` or `STEM.txt`, or several such files; without a test file
    the corpus has no "test" split. Of a single file, a hundredth of the distinct lines, at least
    one and at most 10,000, goes to validation and as many to test, chosen by their hash.

    Every file may be compressed, its name ending in `.gz` or `.zst`.

    Args:
        path: A folder, or a text file; for several of the latter a pattern, or a list.
        train: The stem of the training file, such as "wiki.train.tokens"; for several a pattern,
            such as `"train-*"`, or a list of stems or patterns. What a pattern matches is taken in
            the order of the names.
        valid: The same of the validation file; for "valid", "val" is tried too.
        test: The same of the test file.

    Returns:
        The corpus, in memory.

    Raises:
        InputError: A file is missing, without any text or not UTF-8, or a single file has fewer
            than 3 distinct texts.

    Example:

    >>> sorted(load_text_corpus("corpus", train="train.en", valid="valid.en").splits)
    ['train', 'valid']
    """
    return open_text_corpus(path, train=train, valid=valid, test=test).in_memory()


def open_text_corpus(
    path: str | Path | Sequence[str | Path],
    *,
    train: str | Sequence[str] = "train",
    valid: str | Sequence[str] = "valid",
    test: str | Sequence[str] = "test",
    index: str | Path | None = None,
) -> TextCorpus:
    """Opens a corpus of plain texts of any size: the training split stays in its files.

    Args:
        path: As for `load_text_corpus`, like all that follows.
        train: The training files.
        valid: The validation files.
        test: The test files.
        index: What `TextCorpus.save_index` wrote, if it did: then unchanged files are not read
            again.

    Returns:
        The corpus: validation and test in memory, training as the column of a `TextStream`.

    Raises:
        InputError: As for `load_text_corpus`; for what is wrong in training files, when they are
            read.

    Example:

    >>> corpus = open_text_corpus("corpus", train="train.en", valid="valid.en")
    >>> len(corpus.splits["train"][0])
    500
    """
    if isinstance(path, str | Path) and Path(path).is_dir():
        folder = Path(path)
        name = folder.resolve().name
        stems = dict(zip(_SPLITS, map(listed, (train, valid, test))))
        found = {split: _find(folder, split, stem) for split, stem in stems.items()}
        stream = TextStream(found.pop("train"), index=index)
        held_out = {
            split: TextStream(groups).in_memory() for split, groups in found.items() if groups
        }
    else:
        paths = listed_files(path)
        name = uncompressed_name(paths[0].name).removesuffix(".txt")
        stream = hashed_splits(functools.partial(PlainFiles, paths), "texts", index=index)
        held_out = stream.held_out_columns()
    columns = {"train": stream.columns, **held_out}
    return TextCorpus(name, {split: column * 2 for split, column in columns.items()})


class PlainFiles:
    """Files of texts, one a line, without the blank lines.

    Args:
        paths: The files.
        test: Which texts count; all by default.
    """

    columns, unit = 1, "texts"

    def __init__(self, paths: Sequence[Path], test: Test | None = None):
        self.paths = tuple(paths)
        self._test = test

    def rows(self) -> Iterator[tuple[str]]:
        for path in self.paths:
            has_text = False
            for line in iterate_lines(path):
                if not line[:1].isalnum() and is_blank(line):
                    continue
                has_text = True
                if self._test is None or self._test(line):
                    yield (line,)
            if not has_text:
                raise InputError(f"The file has no text. Received: {path}. Give at least one line.")


def _find(folder: Path, split: str, names: Sequence[str]) -> list[PlainFiles]:
    groups = [[*matching_files(folder, name, _ENDINGS).values()] for name in names]
    if split == "valid" and [*names] == ["valid"] and not any(groups):
        groups = [[*matching_files(folder, "val", _ENDINGS).values()]]
    if split == "test" and not any(groups):
        return []
    for name, paths in zip(names, groups):
        if not paths:
            raise InputError(
                f"There is no {split} file {name}, {name}.txt or {name}.txt.gz. Received: corpus "
                f"{folder}. Add it, or give the stem of the {split} file."
            )
    return [PlainFiles(paths) for paths in groups]
