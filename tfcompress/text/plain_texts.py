"""Plain-text corpora, one text a line, and their rows of ids for language models."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tfcompress.errors import InputError
from tfcompress.text.batching import Limit, limits
from tfcompress.text.characters import is_blank
from tfcompress.text.lines import read_lines
from tfcompress.text.row_datasets import RowDatasets

if TYPE_CHECKING:
    from tfcompress.text.tokenizer import Tokenizer

_ENDINGS = ("", ".txt", ".txt.gz", ".gz", ".txt.zst", ".zst")
_SPLITS = ("train", "valid", "test")


@dataclass(frozen=True)
class TextCorpus:
    """Texts by split.

    Attributes:
        name: The corpus's name, for reports.
        splits: "train", "valid" and, where there is one, "test": each the texts, twice, as other
            corpora have sources and targets: a text is what a language model predicts of itself.

    Example:

    >>> texts, _ = load_text_corpus("corpus", train="train.en", valid="valid.en").splits["train"]
    """

    name: str
    splits: dict[str, tuple[list[str], list[str]]]

    def digest(self) -> str:
        """Returns 16 hexadecimal digits that change when any text changes."""
        texts = {name: split[0] for name, split in self.splits.items()}
        return hashlib.sha256(json.dumps(texts, sort_keys=True).encode()).hexdigest()[:16]


def load_text_corpus(
    path: str | Path, *, train: str = "train", valid: str = "valid", test: str = "test"
) -> TextCorpus:
    """Loads a corpus of plain texts, one a line. Blank lines are left out.

    A folder holds a file a split, `STEM`, `STEM.txt`, `STEM.txt.gz` or `STEM.gz` (or with `.zst`);
    without a test file the corpus has no "test" split. Of a single file, a hundredth of the
    distinct lines, at least one, goes to validation and as many to test, chosen by their hash.

    Args:
        path: A folder, or a text file, gzip-compressed if its name ends in `.gz`.
        train: The stem of the training file, such as "wiki.train.tokens".
        valid: The stem of the validation file; for "valid", "val" is tried too.
        test: The stem of the test file.

    Raises:
        InputError: A file is missing, without any text or not UTF-8, or a single file has fewer
            than 3 distinct texts.

    Example:

    >>> sorted(load_text_corpus("corpus", train="train.en", valid="valid.en").splits)
    ['train', 'valid']
    """
    path = Path(path)
    if path.is_dir():
        stems = dict(zip(_SPLITS, (train, valid, test)))
        files = {split: _find(path, split, stem) for split, stem in stems.items()}
        splits = {split: _texts(file) for split, file in files.items() if file is not None}
        return _corpus(path.resolve().name, splits)
    texts = _texts(path)
    distinct = sorted(set(texts), key=lambda text: hashlib.sha256(text.encode()).digest())
    if len(distinct) < len(_SPLITS):
        raise InputError(
            "Training, validation and test splits need at least 3 distinct texts. Received: "
            f"{len(distinct)} in {path}. Give more."
        )
    size = max(1, len(distinct) // 100)
    held_out = {
        text: "valid" if i < size else "test" for i, text in enumerate(distinct[: 2 * size])
    }
    splits = {split: [] for split in _SPLITS}
    for text in texts:
        splits[held_out.get(text, "train")].append(text)
    return _corpus(path.name.removesuffix(".gz").removesuffix(".zst").removesuffix(".txt"), splits)


class TokenizedTexts(RowDatasets):
    """Texts as rows of ids, each text with its end id, in one flat array.

    A row is what a language model predicts from its begin id on: a text, a piece of one that is
    longer than the model takes, or a piece of the joined texts.

    Args:
        ids: All ids in one array.
        row_splits: Row `i` is `ids[row_splits[i]:row_splits[i + 1]]`.
        bos_id: The id before each row.
        pad_id: The id that fills batches.

    Attributes:
        lengths: The number of ids of every row.

    Example:

    >>> texts = TokenizedTexts.from_corpus(tokenizer, ["two dogs", "a man"], max_length=32)
    >>> token_ids, labels = texts.batch(np.array([0, 1]))
    """

    def __init__(
        self, ids: np.ndarray, row_splits: np.ndarray, *, bos_id: int = 1, pad_id: int = 0
    ):
        self.ids = np.asarray(ids, np.int32)
        self.row_splits = np.asarray(row_splits, np.int64)
        self.lengths = np.diff(self.row_splits)
        self._bos_id, self._pad_id = bos_id, pad_id

    @classmethod
    def from_corpus(
        cls, tokenizer: "Tokenizer", texts: Sequence[str], *, max_length: int, join: bool = False
    ) -> "TokenizedTexts":
        """Tokenizes texts.

        Args:
            tokenizer: Their tokenizer.
            texts: The texts.
            max_length: The most ids of a row, end id included; longer texts are cut into several.
            join: Whether texts that follow one another share rows, all of `max_length` but the
                last, so that a model sees what stands before a text. Otherwise each text begins a
                row.

        Raises:
            InputError: There are no texts, or `max_length` is below 1.
        """
        if max_length < 1:
            raise InputError(f"`max_length` must be at least 1. Received: {max_length}.")
        if not len(texts):
            raise InputError("There must be texts. Received: none.")
        plain, splits = tokenizer.encode_corpus(texts)
        ids = np.insert(plain, splits[1:], tokenizer.eos_id)
        ends = splits[1:] + np.arange(1, len(splits))
        begins = np.array([0]) if join else np.concatenate([[0], ends[:-1]])
        lengths = np.diff(np.append(begins, len(ids)))
        pieces = -(-lengths // max_length)
        # The number of each piece in its text.
        numbers = np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)
        starts = np.repeat(begins, pieces) + numbers * max_length
        return cls(
            ids, np.append(starts, len(ids)), bos_id=tokenizer.bos_id, pad_id=tokenizer.pad_id
        )

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index: int) -> np.ndarray:
        return self.ids[self.row_splits[index] : self.row_splits[index + 1]]

    def widths(self, length_multiple: int = 4) -> list[np.ndarray]:
        """Returns a list of the padded length of every row.

        Args:
            length_multiple: Lengths are rounded up to a multiple of this.
        """
        return [self.padded_lengths(length_multiple)]

    def fits(self, max_length: Limit) -> np.ndarray:
        """Returns whether each row is short enough, boolean.

        Args:
            max_length: The most ids of a row; None for any number.
        """
        return self.lengths <= min(limits(max_length))

    def padded_lengths(self, length_multiple: int = 4) -> np.ndarray:
        """Returns the padded length of every row, at most that of the longest.

        Args:
            length_multiple: Lengths are rounded up to a multiple of this.
        """
        padded = -(-self.lengths // length_multiple) * length_multiple
        return np.minimum(padded, self.lengths.max())

    def batch(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns what a language model takes, rows after their begin ids, and the labels.

        Args:
            indices: Which rows.
        """
        width = self.padded_lengths()[indices].max()
        columns = np.arange(width)
        filled = columns < self.lengths[indices, None]
        labels = np.full(filled.shape, self._pad_id, np.int32)
        labels[filled] = self.ids[(self.row_splits[indices, None] + columns)[filled]]
        token_ids = np.full_like(labels, self._bos_id)
        token_ids[:, 1:] = labels[:, :-1]
        return token_ids, labels

    def _signature(self):
        import tensorflow as tf

        ids = tf.TensorSpec([None, None], tf.int32)
        return ids, ids


def _find(folder: Path, split: str, stem: str) -> Path | None:
    stems = [stem, "val"] if split == stem == "valid" else [stem]
    for name in (f"{one}{ending}" for one in stems for ending in _ENDINGS):
        if (folder / name).is_file():
            return folder / name
    if split == "test":
        return None
    raise InputError(
        f"There is no {split} file {stem}, {stem}.txt or {stem}.txt.gz. Received: corpus {folder}. "
        f"Add it, or give the stem of the {split} file."
    )


def _corpus(name, splits):
    return TextCorpus(name, {split: (texts, texts) for split, texts in splits.items()})


def _texts(file: Path) -> list[str]:
    texts = [line for line in read_lines(file) if not is_blank(line)]
    if not texts:
        raise InputError(f"The file has no text. Received: {file}. Give at least one line.")
    return texts
