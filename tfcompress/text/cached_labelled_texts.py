"""Tokenized texts with labels of any number, in a cache on the disk."""

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from tfcompress.digests import digest
from tfcompress.engine import Engine
from tfcompress.errors import InputError
from tfcompress.text.batching import limits
from tfcompress.text.cached_examples import (
    WINDOW_IDS,
    CachedExamples,
    ColumnEncoder,
    cache_columns,
)
from tfcompress.text.labelled_texts import LabelledTexts, check_labels, input_signature
from tfcompress.text.row_datasets import RowSource, padded_lengths
from tfcompress.text.text_stream import MOST_CLASSES, ClassColumn
from tfcompress.text.text_tokenizers import (
    TextTokenizer,
    check_max_length,
    encode_ragged,
    tokenizer_digest,
)
from tfcompress.text.token_cache import Ragged, TokenCache

_LABEL = 1


class CachedLabelledTexts(CachedExamples, RowSource):
    """Tokenized texts with the numbers of their classes that stay on the disk.

    They give the batches of training as `LabelledTexts` do: exactly those, where they fit a window
    of `window_ids`; else such windows of chunks from everywhere, other ones every epoch.

    Args:
        cache: The cache.
        max_length: The most ids of a text, begin and end included; longer ones are cut.
        pad_id: The id that fills batches.
        token_types: Whether the model has token types.
        group: The group of chunks to take; all by default.
        window_ids: About how many ids are in memory at a time.

    Attributes:
        max_length: The most ids of a text.

    Example:
        >>> tokenizer = tfc.text.load_text_tokenizer("sentence-encoder")
        >>> texts = cache_labelled_texts("labels", ["It runs"], [1], tokenizer, max_length=128)
        >>> len(texts)
        1
    """

    def __init__(
        self,
        cache: TokenCache,
        *,
        max_length: int,
        pad_id: int | None = 0,
        token_types: bool | int = False,
        group: int | None = None,
        window_ids: int = WINDOW_IDS,
    ):
        super().__init__(cache, group=group, window_ids=window_ids)
        self.max_length = max_length
        self._options = {"max_length": max_length, "pad_id": pad_id, "token_types": token_types}

    @cached_property
    def _lengths(self) -> np.ndarray:
        """How many texts have each number of ids, as far as they are not cut, and how many are."""
        lengths = (
            np.minimum(columns[0], self.max_length + 1)
            for columns in self._cache.lengths(self._chunks)
        )
        counts = np.zeros(self.max_length + 2, np.int64)
        return sum((np.bincount(part, minlength=len(counts)) for part in lengths), counts)

    @property
    def longest(self) -> int:
        """The number of ids of the longest text."""
        return int(min(self.max_length, np.flatnonzero(self._lengths).max(initial=0)))

    @property
    def cut(self) -> int:
        """How many texts were longer than `max_length`."""
        return int(self._lengths[-1])

    @cached_property
    def labels(self) -> np.ndarray:
        """The numbers of the classes that there are."""
        columns = self._cache.columns(self._chunks, [_LABEL])
        present = np.zeros(0, np.int32)
        for (labels,) in columns:
            present = np.union1d(present, labels.astype(np.int32))
        return present

    def _group(self, number):
        return CachedLabelledTexts(
            self._cache, group=number, window_ids=self._window_ids, **self._options
        )

    def _read(self, places):
        (ids, splits), (labels, _) = self._cache.read(self._chunks[places])
        return LabelledTexts.from_ids(ids, splits, labels, **self._options)

    def _padded_lengths(self, place, columns, length_multiple, max_length):
        lengths = np.minimum(columns[0], self.max_length)
        lengths = lengths[lengths <= min(limits(max_length))]
        return padded_lengths(lengths, length_multiple, self.max_length)

    def _signature(self):
        import tensorflow as tf

        inputs = input_signature(bool(self._options["token_types"]))
        return inputs, tf.TensorSpec([None], tf.int32)


def cache_labelled_texts(
    folder: str | Path,
    texts: Sequence[str],
    labels: Sequence[int],
    tokenizer: TextTokenizer,
    *,
    max_length: int,
    token_types: bool | int = False,
    progress: Callable[[int], object] = lambda texts: None,
    engine: Engine | None = None,
) -> CachedLabelledTexts:
    """Tokenizes texts with labels into a cache, or opens that which there is.

    Args:
        folder: The folder of the cache, made if needed.
        texts: The texts, in memory or the column of a `TextStream`.
        labels: The numbers of their classes.
        tokenizer: Their tokenizer.
        max_length: As for `LabelledTexts`; the cache does not depend on it.
        token_types: As for `LabelledTexts`.
        progress: Called with the number of texts that are tokenized.
        engine: Where texts are tokenized, entered; threads of this process by default.

    Returns:
        The texts.

    Raises:
        InputError: There are more or fewer labels than texts, a label is none of 0 to 9,999,
            `max_length` has no room, the cache is that of another tokenizer or text, or the folder
            cannot be written to.

    Example:
        >>> tokenizer = tfc.text.load_text_tokenizer("sentence-encoder")
        >>> texts = cache_labelled_texts("labels", ["It runs"], [1], tokenizer, max_length=128)
        >>> dataset = texts.training_dataset(batch_tokens=4096, seed=1)
    """
    check_labels(texts, labels)
    check_max_length(max_length)
    names = labels.names if isinstance(labels, ClassColumn) else None
    encoders = [
        ColumnEncoder(
            "text",
            tokenizer_digest(tokenizer),
            tokenizer.vocabulary_size,
            lambda chunk: encode_ragged(tokenizer, chunk),
        ),
        ColumnEncoder("label", digest(names), MOST_CLASSES, _encode_labels),
    ]
    return CachedLabelledTexts(
        cache_columns(folder, (texts, labels), encoders, progress=progress, engine=engine),
        max_length=max_length,
        pad_id=tokenizer.pad_id,
        token_types=token_types,
    )


def _encode_labels(labels) -> Ragged:
    numbers = np.asarray(labels)
    if numbers.dtype.kind not in "iu" or numbers.min() < 0 or numbers.max() >= MOST_CLASSES:
        raise InputError(
            f"Labels in a cache are numbers of classes from 0 to {MOST_CLASSES - 1:,}. Received: "
            "others. Hold texts with such labels in memory, as `LabelledTexts`."
        )
    return numbers, np.arange(len(numbers) + 1)
