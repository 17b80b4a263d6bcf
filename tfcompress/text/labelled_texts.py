"""Texts with labels: their files, their tokens and their batches."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tfcompress.errors import InputError
from tfcompress.text.batching import Limit, limits
from tfcompress.text.characters import is_blank
from tfcompress.text.line_checks import check_lines
from tfcompress.text.lines import read_lines
from tfcompress.text.row_datasets import RowDatasets
from tfcompress.text.text_tokenizers import TextTokenizer, check_max_length, encode_texts

if TYPE_CHECKING:
    pass

ENDINGS = (".tsv", ".tsv.gz", ".tsv.zst")
_NUMBER = re.compile("0|[1-9][0-9]{0,8}")
_MOST_CLASSES = 10_000


@dataclass(frozen=True)
class LabelledCorpus:
    """Texts, each of one class, by split.

    Attributes:
        name: The corpus's name, for reports.
        labels: The names of the classes, in the order of their numbers.
        splits: `"train"`, `"valid"` and, where there is one, `"test"`: each a list of texts and a
            list of the numbers of their classes.
    """

    name: str
    labels: tuple[str, ...]
    splits: dict[str, tuple[list[str], list[int]]]

    def digest(self) -> str:
        """Returns 16 hexadecimal digits that change when any text or label changes."""
        content = json.dumps([self.labels, self.splits], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]


def load_labelled_corpus(
    folder: str | Path,
    *,
    labels: Sequence[str] = (),
    train: str = "train",
    valid: str = "valid",
    test: str = "test",
) -> LabelledCorpus:
    """Loads texts with labels from a folder with a file for each split.

    A file holds `text<TAB>label` lines and is called `STEM.tsv`, `STEM.tsv.gz` or
    `STEM.tsv.zst`. A first line whose second column is "label" is a heading.

    Args:
        folder: The folder.
        labels: The names of the classes, in the order of their numbers; by default what the
            training file has: 0 to the largest, where all are numbers, else in alphabetical order.
            White space around a label does not count.
        train: The stem of the training file.
        valid: The stem of the validation file; for `"valid"`, `"dev"` is tried too.
        test: The stem of the test file; there may be none.

    Returns:
        The corpus.

    Raises:
        InputError: A file is missing or empty, a line has other columns, no text, or no or an
            unknown label, naming the line, or labels are numbers too large for those of classes.

    Example:
        >>> corpus = load_labelled_corpus("sst2")
        >>> corpus.labels
        ('0', '1')
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(
            f"No such folder. Received: corpus {folder}. Give one with {train}.tsv and so on."
        )
    stems = {"train": [train], "valid": [valid] + ["dev"] * (valid == "valid"), "test": [test]}
    rows = {}
    for split, names in stems.items():
        paths = [folder / f"{name}{end}" for name in names for end in ENDINGS]
        paths = [path for path in paths if path.is_file()]
        if paths:
            rows[split] = (paths[0], read_examples(paths[0], ("text", "label")))
        elif split != "test":
            raise InputError(
                f"There is no {split} file {names[0]}.tsv or {names[0]}.tsv.gz. Received: corpus "
                f"{folder}. Add it, or give the stem of the {split} file."
            )
    for path, examples in rows.values():
        for place, name in enumerate(("text", "label")):
            blank = [number for number, columns in examples if is_blank(columns[place])]
            check_lines(path, blank, f"without {name}; remove them")
    labels = tuple(label.strip() for label in labels) or _labels(*rows["train"])
    numbers = {label: number for number, label in enumerate(labels)}
    splits = {}
    for split, (path, examples) in rows.items():
        for number, (_, label) in examples:
            if label.strip() not in numbers:
                raise InputError(
                    f"The label is none of the classes. Received: {path}, line {number}, label "
                    f"{label!r}. Give one of {', '.join(labels)}."
                )
        texts, names = zip(*(columns for _, columns in examples))
        splits[split] = [*texts], [numbers[label.strip()] for label in names]
    return LabelledCorpus(folder.resolve().name, labels, splits)


def read_examples(path: str | Path, columns: Sequence[str]) -> list[tuple[int, list[str]]]:
    """Reads a tab-separated file.

    Args:
        path: The file.
        columns: What its columns are called.

    Returns:
        The number and the columns of each line; a heading is left out.

    Raises:
        InputError: If there is no line, or one has other columns.
    """
    rows = []
    for number, line in enumerate(read_lines(path), start=1):
        fields = line.split("\t")
        if len(fields) != len(columns):
            raise InputError(
                f"A line has other columns. Received: {path}, line {number} with {len(fields)}. "
                f"Give {'<TAB>'.join(columns)}."
            )
        if number > 1 or fields[-1].strip().lower() != columns[-1]:
            rows.append((number, fields))
    if not rows:
        raise InputError(
            f"The file has no examples. Received: {path}. Give {'<TAB>'.join(columns)} lines."
        )
    return rows


class LabelledTexts(RowDatasets):
    """Tokenized texts with the numbers of their classes.

    Args:
        tokenizer: The tokenizer.
        texts: The texts.
        labels: The number of each text's class; for other heads a row of a matrix, 1 for
            each class that a text is of and else 0, or a text's score or scores.
        max_length: The most ids of a text, begin and end included; longer ones are cut.
        token_types: Whether the model has token types, as `TextEncoderConfig.token_types` says; a
            text's are all 0.

    Attributes:
        lengths: The number of ids of each text.
        max_length: The most ids of a text.
        cut: How many texts were longer.

    Raises:
        InputError: There are more or fewer labels than texts, or `max_length` has no room.

    Example:
        >>> tokenizer = tfc.text.load_text_tokenizer("sentence-encoder")
        >>> texts = LabelledTexts(tokenizer, ["It runs"], [1], max_length=128)
        >>> texts.lengths
        array([4], dtype=int32)
    """

    def __init__(
        self,
        tokenizer: TextTokenizer,
        texts: Sequence[str],
        labels: Sequence[int],
        *,
        max_length: int,
        token_types: bool | int = False,
    ):
        if len(texts) != len(labels):
            raise InputError(
                f"Texts and labels are not as many. Received: {len(texts)} texts, {len(labels)} "
                "labels. Give one label a text."
            )
        check_max_length(max_length)
        # One id more than is kept shows which texts are longer.
        ids, lengths = encode_texts(tokenizer, texts, max_length=max_length + 1)
        longer = lengths > max_length
        self.cut = int(longer.sum())
        self._ids, self.lengths = ids[:, :max_length], np.minimum(lengths, max_length)
        self._ids[longer, -1] = tokenizer.end_id
        self.max_length = max_length
        values = np.asarray(labels)
        is_score = values.dtype.kind == "f" and len(values)
        self.labels = values.astype(np.float32 if is_score else np.int32)
        self._pad_id = tokenizer.pad_id
        self._token_types = bool(token_types)

    def __len__(self) -> int:
        return len(self.labels)

    def widths(self, length_multiple: int = 4) -> list[np.ndarray]:
        """Returns a list of the padded length of every text.

        Args:
            length_multiple: Lengths are rounded up to a multiple of this.
        """
        return [self.padded_lengths(length_multiple)]

    def fits(self, max_length: Limit) -> np.ndarray:
        """Returns whether each text is short enough, boolean.

        Args:
            max_length: The most ids of a text; None for any number.
        """
        return self.lengths <= min(limits(max_length))

    def padded_lengths(self, length_multiple: int = 4) -> np.ndarray:
        """Returns the padded length of every text, at most `max_length`.

        Args:
            length_multiple: Lengths are rounded up to a multiple of this.
        """
        padded = -(-self.lengths // length_multiple) * length_multiple
        return np.minimum(padded, self.max_length)

    def batch(self, indices: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Returns the inputs of a text encoder and the labels.

        Args:
            indices: Which texts.
        """
        width = self.padded_lengths()[indices].max()
        ids = np.full((len(indices), width), self._pad_id, np.int32)
        rows = self._ids[indices, :width]
        ids[:, : rows.shape[1]] = rows
        types = {"token_type_ids": np.zeros_like(ids)} if self._token_types else {}
        return {"token_ids": ids} | types, self.labels[indices]

    def _signature(self):
        import tensorflow as tf

        names = ["token_ids"] + ["token_type_ids"] * self._token_types
        inputs = {name: tf.TensorSpec([None, None], tf.int32) for name in names}
        return inputs, tf.TensorSpec([None, *self.labels.shape[1:]], self.labels.dtype)


def _labels(path, examples):
    names = {label.strip() for _, (_, label) in examples}
    # What is written otherwise, such as 007, is a name.
    if not all(map(_NUMBER.fullmatch, names)):
        return tuple(sorted(names))
    classes = 1 + max(map(int, names))
    if classes > _MOST_CLASSES:
        raise InputError(
            f"Labels that are numbers are those of classes, at most {_MOST_CLASSES - 1:,}. "
            f"Received: {classes - 1} in {path}. Name the labels under `labels`."
        )
    return tuple(map(str, range(classes)))
