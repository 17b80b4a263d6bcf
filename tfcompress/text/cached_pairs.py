"""Tokenized sentence pairs of any number, in a cache on the disk."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tfcompress.engine import Engine
from tfcompress.errors import InputError
from tfcompress.text.batching import TokenizedPairs
from tfcompress.text.cached_examples import CachedExamples, cache_columns, tokenizer_column

if TYPE_CHECKING:
    from tfcompress.text.tokenizer import Tokenizer


class CachedPairs(CachedExamples):
    """Tokenized sentence pairs that stay on the disk.

    They give the batches of training as `TokenizedPairs` do: exactly those, where they fit a window
    of `window_ids`; else such windows of chunks from everywhere, other ones every epoch.

    Args:
        cache: The cache.
        group: The group of chunks to take; all by default.
        window_ids: About how many ids are in memory at a time.

    Example:
        >>> pairs = cache_pairs("cache", ["two dogs"], ["zwei hunde"], tokenizer)
        >>> len(pairs)
        1
    """

    def _group(self, number):
        return CachedPairs(self._cache, group=number, window_ids=self._window_ids)

    def _read(self, places):
        source, target = self._cache.read(self._chunks[places])
        return TokenizedPairs(*source, *target)

    def _padded_lengths(self, place, columns, length_multiple, max_length):
        nothing = np.uint16(0)
        arrays = []
        for lengths in columns:
            ids = np.broadcast_to(nothing, lengths.sum())
            arrays += [ids, np.concatenate([[0], lengths.cumsum()])]
        pairs = TokenizedPairs(*arrays)
        return pairs.batch_lengths(length_multiple, max_length)[pairs.fits(max_length)]


def cache_pairs(
    folder: str | Path,
    sources: Sequence[str],
    targets: Sequence[str],
    tokenizer: "Tokenizer",
    *,
    target_tokenizer: "Tokenizer | None" = None,
    progress: Callable[[int], object] = lambda pairs: None,
    engine: Engine | None = None,
) -> CachedPairs:
    """Tokenizes sentence pairs into a folder, or finds them there.

    What an interrupted process left is used. Where the sides are those of one `TextStream`, its
    groups are those of the pairs.

    Args:
        folder: The folder of the cache, made if needed.
        sources: Source sentences.
        targets: Their translations.
        tokenizer: The tokenizer of the source.
        target_tokenizer: The tokenizer of the target; the source's by default.
        progress: Called with the number of pairs that are tokenized.
        engine: Where texts are tokenized, entered; threads of this process by default.

    Returns:
        The pairs.

    Raises:
        InputError: The numbers of sentences differ, the cache is that of another tokenizer or
            text, or the folder cannot be written to.

    Example:
        >>> pairs = cache_pairs("cache", ["two dogs"], ["zwei hunde"], tokenizer)
        >>> batches = tfc.text.training_dataset(pairs, batch_tokens=4096, seed=1)
    """
    if len(sources) != len(targets):
        raise InputError(
            f"Sources and targets are not as many. Received: {len(sources)} sources, "
            f"{len(targets)} targets. Give one target a source."
        )
    encoders = [
        tokenizer_column("source", tokenizer),
        tokenizer_column("target", target_tokenizer or tokenizer),
    ]
    cache = cache_columns(folder, (sources, targets), encoders, progress=progress, engine=engine)
    return CachedPairs(cache)
