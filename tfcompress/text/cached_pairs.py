"""Tokenized sentence pairs of any number, in a cache on the disk."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tfcompress.engine import Engine
from tfcompress.errors import InputError
from tfcompress.text.batching import TokenizedPairs
from tfcompress.text.cached_examples import (
    CachedExamples,
    cache_chunks,
    text_chunks,
    text_digests,
)
from tfcompress.text.input_noise import InputNoise
from tfcompress.text.pair_encoder import PairChunk, PairEncoder
from tfcompress.text.token_cache import TextChunk

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
        variants: How many versions of the sources the cache has, as `noise.variants` of
            `cache_pairs` said; epochs have them in turn.

    Example:
        >>> pairs = cache_pairs("cache", ["two dogs"], ["zwei hunde"], tokenizer)
        >>> len(pairs)
        1
    """

    @property
    def is_aligned(self) -> bool:
        """Whether the pairs' pieces are aligned."""
        return len(self._cache.content.columns) > 2

    def _group(self, number):
        return CachedPairs(
            self._cache, group=number, window_ids=self._window_ids, variants=self._variants
        )

    def _read(self, places):
        source, target, *alignments = self._cache.read(self._chunks[places])
        return TokenizedPairs(*source, *target, alignment=alignments[0] if alignments else None)

    def _padded_lengths(self, place, columns, length_multiple, max_length):
        nothing = np.uint16(0)
        arrays = []
        for lengths in columns[:2]:
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
    alignments: Sequence[str] | None = None,
    noise: InputNoise | None = None,
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
        alignments: For each pair the words that translate each other, as `align_corpus` gives them;
            batches can have them as alignments of pieces then.
        noise: Noise on the sources; the cache has as many versions of them as `noise.variants`.
        progress: Called with the number of pairs that are tokenized.
        engine: Where texts are tokenized, entered; threads of this process by default.

    Returns:
        The pairs.

    Raises:
        InputError: The numbers of sentences or alignments differ, an alignment is not that of its
            pair, the cache is that of another tokenizer or text, or the folder cannot be written
            to.

    Example:
        >>> pairs = cache_pairs("cache", ["two dogs"], ["zwei hunde"], tokenizer)
        >>> batches = tfc.text.training_dataset(pairs, batch_tokens=4096, seed=1)
    """
    if len(sources) != len(targets):
        raise InputError(
            f"Sources and targets are not as many. Received: {len(sources)} sources, "
            f"{len(targets)} targets. Give one target a source."
        )
    if alignments is not None and len(alignments) != len(sources):
        raise InputError(
            f"Every pair needs an alignment. Received: {len(alignments)} alignments of "
            f"{len(sources)} pairs. Align the same pairs."
        )
    columns = (sources, targets) if alignments is None else (sources, targets, alignments)
    encode = PairEncoder(
        tokenizer, target_tokenizer or tokenizer, noise=noise, aligned=alignments is not None
    )
    variants = encode.variants
    cache = cache_chunks(
        folder,
        lambda: _chunks(columns, variants),
        lambda: (
            (group * variants + variant, digest)
            for group, digest in text_digests(columns)
            for variant in range(variants)
        ),
        names=encode.names,
        digests=encode.digests,
        encode=encode,
        progress=lambda examples: progress(examples // variants),
        engine=engine,
    )
    return CachedPairs(cache, variants=variants)


def _chunks(columns, variants) -> Iterator[TextChunk]:
    first = 0
    for group, digest, texts in text_chunks(columns):
        for variant in range(variants):
            yield group * variants + variant, digest, PairChunk(texts, first, variant)
        first += len(texts[0])
