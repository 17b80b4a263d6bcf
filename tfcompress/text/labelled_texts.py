"""Texts with labels as rows of ids for text encoders."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from tfcompress.errors import InputError
from tfcompress.text.row_datasets import Rows
from tfcompress.text.text_tokenizers import TextTokenizer, check_max_length, encode_ragged


class LabelledTexts(Rows):
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
        ids: The ids of all texts, begin and end included, in one array.
        row_splits: Text `i` is `ids[row_splits[i]:row_splits[i + 1]]`.
        lengths: The number of ids of every text.
        labels: The labels.
        max_length: The most ids of a text.
        cut: How many texts were longer.

    Raises:
        InputError: There are more or fewer labels than texts, or `max_length` has no room.

    Example:
        >>> tokenizer = tfc.text.load_text_tokenizer("sentence-encoder")
        >>> texts = LabelledTexts(tokenizer, ["It runs"], [1], max_length=128)
        >>> texts.lengths
        array([4])
    """

    def __init__(
        self,
        tokenizer: TextTokenizer,
        texts: Sequence[str],
        labels: Sequence[Any] | np.ndarray,
        *,
        max_length: int,
        token_types: bool | int = False,
    ):
        check_labels(texts, labels)
        check_max_length(max_length)
        ids, row_splits = encode_ragged(tokenizer, texts)
        self._set(ids, row_splits, labels, max_length, token_types, tokenizer.pad_id)

    @classmethod
    def from_ids(
        cls,
        ids: np.ndarray,
        row_splits: np.ndarray,
        labels: np.ndarray,
        *,
        max_length: int,
        pad_id: int | None,
        token_types: bool | int = False,
    ) -> Self:
        """Makes texts of their ids.

        Args:
            ids: All ids in one array, begin and end included.
            row_splits: Text `i` is `ids[row_splits[i]:row_splits[i + 1]]`.
            labels: The labels.
            max_length: The most ids of a text; longer ones are cut.
            pad_id: The id that fills batches.
            token_types: Whether the model has token types.

        Example:
            >>> ids, splits = np.array([2, 5, 6, 3]), np.array([0, 4])
            >>> texts = LabelledTexts.from_ids(ids, splits, np.array([1]), max_length=3, pad_id=0)
            >>> texts.ids
            array([2, 5, 3], dtype=int32)
        """
        texts = cls.__new__(cls)
        texts._set(ids, row_splits, labels, max_length, token_types, pad_id)
        return texts

    def _set(self, ids, row_splits, labels, max_length, token_types, pad_id):
        lengths = np.diff(row_splits)
        self.cut = int((lengths > max_length).sum())
        if self.cut:
            places = np.arange(len(ids)) - np.repeat(row_splits[:-1], lengths)
            ends = ids[row_splits[1:] - 1]
            ids = ids[places < max_length]
            row_splits = np.concatenate([[0], np.cumsum(np.minimum(lengths, max_length))])
            ids[row_splits[1:] - 1] = ends
        super().__init__(ids, row_splits, max_length)
        self.max_length = max_length
        values = np.asarray(labels)
        is_score = values.dtype.kind == "f" and len(values)
        self.labels = values.astype(np.float32 if is_score else np.int32)
        self._pad_id = pad_id
        self._token_types = bool(token_types)

    def batch(self, indices: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Returns the inputs of a text encoder and the labels.

        Args:
            indices: Which texts.
        """
        ids = self._padded(indices, self._pad_id)
        types = {"token_type_ids": np.zeros_like(ids)} if self._token_types else {}
        return {"token_ids": ids} | types, self.labels[indices]

    def _signature(self):
        import tensorflow as tf

        labels = tf.TensorSpec([None, *self.labels.shape[1:]], self.labels.dtype)
        return input_signature(self._token_types), labels


def check_labels(texts: Sequence[str], labels: Sequence[Any] | np.ndarray) -> None:
    """Makes sure that there are as many labels as texts.

    Raises:
        InputError: There are more or fewer.
    """
    if len(texts) != len(labels):
        raise InputError(
            f"Texts and labels are not as many. Received: {len(texts)} texts, {len(labels)} "
            "labels. Give one label a text."
        )


def input_signature(token_types: bool) -> dict[str, Any]:
    """Returns the types and shapes of a text encoder's inputs, as TensorFlow's `TensorSpec`.

    Args:
        token_types: Whether the model has token types.
    """
    import tensorflow as tf

    names = ["token_ids"] + ["token_type_ids"] * token_types
    return {name: tf.TensorSpec([None, None], tf.int32) for name in names}
