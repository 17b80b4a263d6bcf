"""Tokenized texts of any number for language models, in a cache on the disk."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tfcompress.engine import Engine
from tfcompress.text.batching import limits
from tfcompress.text.cached_examples import (
    WINDOW_IDS,
    CachedExamples,
    ColumnEncoder,
    cache_columns,
    tokenizer_column,
)
from tfcompress.text.plain_texts import TokenizedTexts, check_texts, encode_ended, row_splits
from tfcompress.text.row_datasets import RowSource, padded_lengths
from tfcompress.text.token_cache import TokenCache

if TYPE_CHECKING:
    from tfcompress.text.tokenizer import Tokenizer


class CachedTexts(CachedExamples, RowSource):
    """Texts as rows of ids that stay on the disk.

    They give the batches of training as `TokenizedTexts` do: exactly those, where they fit a window
    of `window_ids`; else such windows of chunks from everywhere, other ones every epoch. The rows
    are the same in any case, also where texts share rows.

    Args:
        cache: The cache.
        max_length: The most ids of a row, end id included.
        join: Whether texts that follow one another share rows.
        bos_id: The id before each row.
        pad_id: The id that fills batches.
        group: The group of chunks to take; all by default.
        window_ids: About how many ids are in memory at a time.

    Example:
        >>> texts = cache_texts("text_cache", ["two dogs", "a man"], tokenizer, max_length=32)
        >>> len(texts)
        2
    """

    def __init__(
        self,
        cache: TokenCache,
        *,
        max_length: int,
        join: bool = False,
        bos_id: int = 1,
        pad_id: int = 0,
        group: int | None = None,
        window_ids: int = WINDOW_IDS,
    ):
        super().__init__(cache, group=group, window_ids=window_ids)
        self._max_length, self._join = max_length, join
        self._ids = {"bos_id": bos_id, "pad_id": pad_id}
        ids = [cache.content.chunks[number].ids for number in self._chunks]
        # Where each chunk begins in the joined texts.
        self._begins = np.concatenate([[0], np.cumsum(ids, dtype=np.int64)])

    def __len__(self) -> int:
        return int(self._histograms(4, None)[1].sum())

    @cached_property
    def longest(self) -> int:
        """The number of ids of the longest row."""
        if self._join:
            return int(min(self._max_length, self._begins[-1]))
        longest = (lengths.max(initial=0) for (lengths,) in self._cache.lengths(self._chunks))
        return int(min(self._max_length, max(longest, default=0)))

    def _group(self, number):
        return CachedTexts(
            self._cache,
            max_length=self._max_length,
            join=self._join,
            group=number,
            window_ids=self._window_ids,
            **self._ids,
        )

    def _read(self, places):
        ids, splits = [], []
        for part, part_splits in self._joined(places) if self._join else self._separate(places):
            splits.append(part_splits[:-1] + sum(map(len, ids)))
            ids.append(part)
        ends = np.concatenate([*splits, [sum(map(len, ids))]])
        return TokenizedTexts(np.concatenate(ids), ends, widest=self.longest, **self._ids)

    def _separate(self, places):
        ids, splits = self._cache.read(self._chunks[places])[0]
        yield ids, row_splits(splits, self._max_length, join=False)

    def _joined(self, places) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Gives the rows that begin in each run of chunks; the last may end in later chunks."""
        for run in np.split(places, np.flatnonzero(np.diff(places) != 1) + 1):
            begin, end = self._row_begins(run[0]), self._row_begins(run[-1] + 1)
            last = np.searchsorted(self._begins, end)
            ids = self._cache.read(self._chunks[run[0] : max(last, run[0] + 1)])[0][0]
            ids = ids[begin - self._begins[run[0]] : end - self._begins[run[0]]]
            yield ids, row_splits(np.array([0, len(ids)]), self._max_length, join=True)

    def _row_begins(self, place):
        """Returns where the first row begins that begins in a chunk or after it."""
        return min(-(-self._begins[place] // self._max_length) * self._max_length, self._begins[-1])

    def _padded_lengths(self, place, columns, length_multiple, max_length):
        if self._join:
            splits = np.array([self._row_begins(place), self._row_begins(place + 1)])
        else:
            splits = np.concatenate([[0], np.cumsum(columns[0])])
        lengths = np.diff(row_splits(splits, self._max_length, join=self._join))
        lengths = lengths[lengths <= min(limits(max_length))]
        return padded_lengths(lengths, length_multiple, self.longest)

    def _signature(self):
        return TokenizedTexts.signature()


def cache_texts(
    folder: str | Path,
    texts: Sequence[str],
    tokenizer: "Tokenizer",
    *,
    max_length: int,
    join: bool = False,
    progress: Callable[[int], object] = lambda texts: None,
    engine: Engine | None = None,
) -> CachedTexts:
    """Tokenizes texts into a cache, or opens that which there is.

    Args:
        folder: The folder of the cache, made if needed.
        texts: The texts, in memory or the column of a `TextStream`.
        tokenizer: Their tokenizer.
        max_length: As for `TokenizedTexts.from_corpus`; the cache does not depend on it.
        join: As for `TokenizedTexts.from_corpus`; the cache does not depend on it.
        progress: Called with the number of texts that are tokenized.
        engine: Where texts are tokenized, entered; threads of this process by default.

    Returns:
        The texts.

    Raises:
        InputError: There are no texts, `max_length` is below 1, the cache is that of another
            tokenizer or text, or the folder cannot be written to.

    Example:
        >>> texts = cache_texts("text_cache", ["two dogs", "a man"], tokenizer, max_length=32)
        >>> dataset = texts.training_dataset(batch_tokens=4096, seed=1)
    """
    check_texts(texts, max_length)
    plain = tokenizer_column("text", tokenizer)
    encoder = ColumnEncoder(
        plain.name, plain.digest, plain.ids, lambda chunk: encode_ended(tokenizer, chunk)
    )
    return CachedTexts(
        cache_columns(folder, (texts,), [encoder], progress=progress, engine=engine),
        max_length=max_length,
        join=join,
        bos_id=tokenizer.bos_id,
        pad_id=tokenizer.pad_id,
    )
