"""Plain texts as rows of ids for language models."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tfcompress.errors import InputError
from tfcompress.text.row_datasets import Rows

if TYPE_CHECKING:
    from tfcompress.text.tokenizer import Tokenizer


class TokenizedTexts(Rows):
    """Texts as rows of ids, each text with its end id, in one flat array.

    A row is what a language model predicts from its begin id on: a text, a piece of one that is
    longer than the model takes, or a piece of the joined texts.

    Args:
        ids: All ids in one array.
        row_splits: Row `i` is `ids[row_splits[i]:row_splits[i + 1]]`.
        bos_id: The id before each row.
        pad_id: The id that fills batches.
        widest: What no row is padded beyond; the longest row's length by default.

    Attributes:
        ids: The ids.
        row_splits: The row splits.
        lengths: The number of ids of every row.

    Example:

    >>> texts = TokenizedTexts.from_corpus(tokenizer, ["two dogs", "a man"], max_length=32)
    >>> token_ids, labels = texts.batch(np.array([0, 1]))
    """

    def __init__(
        self,
        ids: np.ndarray,
        row_splits: np.ndarray,
        *,
        bos_id: int = 1,
        pad_id: int = 0,
        widest: int | None = None,
    ):
        super().__init__(np.asarray(ids), row_splits, 0)
        self._widest = self.longest if widest is None else widest
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
        check_texts(texts, max_length)
        ids, text_splits = encode_ended(tokenizer, texts)
        splits = row_splits(text_splits, max_length, join=join)
        return cls(ids, splits, bos_id=tokenizer.bos_id, pad_id=tokenizer.pad_id)

    def __getitem__(self, index: int) -> np.ndarray:
        return self.ids[self.row_splits[index] : self.row_splits[index + 1]]

    def batch(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns what a language model takes, rows after their begin ids, and the labels.

        Args:
            indices: Which rows.
        """
        labels = self._padded(indices, self._pad_id)
        token_ids = np.full_like(labels, self._bos_id)
        token_ids[:, 1:] = labels[:, :-1]
        return token_ids, labels

    @staticmethod
    def signature() -> Any:
        """Returns the types and shapes of a batch, as TensorFlow's `TensorSpec`."""
        import tensorflow as tf

        ids = tf.TensorSpec([None, None], tf.int32)
        return ids, ids

    def _signature(self):
        return self.signature()


def check_texts(texts: Sequence[str], max_length: int) -> None:
    """Makes sure that there are texts, and that rows may have ids.

    Args:
        texts: The texts.
        max_length: The most ids of a row.

    Raises:
        InputError: There are no texts, or `max_length` is below 1.
    """
    if max_length < 1:
        raise InputError(f"`max_length` must be at least 1. Received: {max_length}.")
    if not len(texts):
        raise InputError("There must be texts. Received: none.")


def encode_ended(tokenizer: "Tokenizer", texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Tokenizes texts, each with its end id.

    Args:
        tokenizer: The tokenizer.
        texts: The texts.

    Returns:
        All ids in one array, and the row splits of the texts.

    Example:
        >>> ids, splits = encode_ended(tokenizer, ["two dogs", "a man"])
        >>> ids[splits[1:] - 1] == tokenizer.eos_id
        array([ True,  True])
    """
    ids, splits = tokenizer.encode_corpus(texts)
    return np.insert(ids, splits[1:], tokenizer.eos_id), splits + np.arange(len(splits))


def row_splits(text_splits: np.ndarray, max_length: int, *, join: bool) -> np.ndarray:
    """Cuts texts into rows.

    Args:
        text_splits: The row splits of the texts.
        max_length: The most ids of a row.
        join: Whether rows go on where texts end.

    Returns:
        The row splits of the rows.

    Example:
        >>> row_splits(np.array([0, 5, 7]), 3, join=False)
        array([0, 3, 5, 7])
        >>> row_splits(np.array([0, 5, 7]), 3, join=True)
        array([0, 3, 6, 7])
    """
    begins = text_splits[:1] if join else text_splits[:-1]
    pieces = -(-np.diff(np.append(begins, text_splits[-1])) // max_length)
    # The number of each piece in its text.
    numbers = np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    return np.append(np.repeat(begins, pieces) + numbers * max_length, text_splits[-1])
