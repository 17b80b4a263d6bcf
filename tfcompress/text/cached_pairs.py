"""Tokenized sentence pairs of any number, in a cache on the disk."""

import functools
import hashlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tfcompress.engine import Engine
from tfcompress.errors import InputError
from tfcompress.text.batching import (
    Batch,
    Limit,
    TokenizedPairs,
    check_batches,
    count_batches,
    epoch_batches,
    first_batch,
)
from tfcompress.text.pair_stream import StreamSide, chunk_digest, chunked
from tfcompress.text.token_cache import Ragged, TextChunk, TokenCache, write_cache

if TYPE_CHECKING:
    from tfcompress.text.tokenizer import Tokenizer

WINDOW_IDS = 1 << 26
"""About how many ids of a cache are in memory at a time."""

_COLUMNS = ("source", "target")


class CachedPairs:
    """Tokenized sentence pairs that stay on the disk.

    An epoch goes through the pairs in windows of about `WINDOW_IDS` ids. Each window has chunks of
    the text from everywhere, other ones every epoch, and is divided into batches as
    `TokenizedPairs` are. A corpus that fits a window is one, and has their batches exactly. The
    next window is read while the batches of one are used.

    Args:
        cache: The cache.
        group: The group of chunks to take; all by default.
        window_ids: About how many ids are in memory at a time.

    Example:
        >>> pairs = cache_pairs("cache", ["two dogs"], ["zwei hunde"], tokenizer)
        >>> len(pairs)
        1
    """

    def __init__(
        self, cache: TokenCache, *, group: int | None = None, window_ids: int = WINDOW_IDS
    ):
        self._cache = cache
        self._window_ids = window_ids
        chunks = enumerate(cache.content.chunks)
        self._chunks = np.array([n for n, c in chunks if group in (None, c.group)], np.int64)
        described = [cache.content.chunks[number] for number in self._chunks]
        self._examples = sum(chunk.examples for chunk in described)
        ids = sum(chunk.ids for chunk in described)
        self._windows = min(max(1, -(-ids // window_ids)), max(1, len(described)))
        self._known: dict[tuple, tuple[np.ndarray, np.ndarray]] = {}
        self._whole: TokenizedPairs | None = None

    def __len__(self) -> int:
        return self._examples

    def groups(self) -> list["CachedPairs"]:
        """Returns the pairs of each group."""
        numbers = sorted({chunk.group for chunk in self._cache.content.chunks})
        return [
            CachedPairs(self._cache, group=number, window_ids=self._window_ids)
            for number in numbers
        ]

    def left_out(self, max_length: Limit) -> int:
        """Counts the pairs too long for `max_length`, which no batch contains.

        Args:
            max_length: As for `epoch_batches`.
        """
        return len(self) - int(self._histograms(4, max_length)[1].sum())

    def in_memory(self) -> TokenizedPairs:
        """Returns all pairs, read into memory."""
        return self._read(np.arange(len(self._chunks)))

    def endless_batches(
        self,
        *,
        start_step: int = 0,
        accumulate: int = 1,
        batch_tokens: int,
        seed: int,
        length_multiple: int = 4,
        max_length: Limit = None,
        static_batches: bool = False,
    ) -> Callable[[], Iterator[Batch]]:
        """Returns a function that gives the batches of training, as `TokenizedPairs` have it.

        Args:
            start_step: The number of optimizer steps already made.
            accumulate: The batches of one optimizer step.
            batch_tokens: As for `epoch_batches`.
            seed: As for `epoch_batches`.
            length_multiple: As for `epoch_batches`.
            max_length: As for `epoch_batches`.
            static_batches: As for `epoch_batches`.

        Raises:
            InputError: As for `epoch_batches`, or the cache is damaged.
        """
        first = first_batch(start_step, accumulate)
        options = {
            "batch_tokens": batch_tokens,
            "seed": seed,
            "length_multiple": length_multiple,
            "max_length": max_length,
            "static_batches": static_batches,
        }
        lengths, counts = self._histograms(length_multiple, max_length)
        check_batches(len(self), lengths.max(initial=0), batch_tokens, max_length)

        def windows():
            for epoch in itertools.count():
                for number, rows in enumerate(self._epoch(seed, epoch)):
                    batches = count_batches(lengths, counts[rows].sum(axis=0), batch_tokens)
                    yield epoch * self._windows + number, rows, batches

        def load(number, rows):
            pairs = self._window(rows)
            return pairs, epoch_batches(pairs, epoch=number, **options)

        return lambda: _read_ahead(windows(), load, first)

    def _epoch(self, seed, epoch) -> list[np.ndarray]:
        """Returns the chunks of each window of an epoch, by their places among those used here."""
        rows = np.arange(len(self._chunks))
        if self._windows > 1:
            rows = np.random.default_rng([seed, epoch, self._windows]).permutation(rows)
        return np.array_split(rows, self._windows)

    def _window(self, rows) -> TokenizedPairs:
        if self._windows > 1:
            return self._read(rows)
        if self._whole is None:
            self._whole = self._read(rows)
        return self._whole

    def _read(self, rows) -> TokenizedPairs:
        source, target = self._cache.read(self._chunks[rows])
        return TokenizedPairs(*source, *target)

    def _histograms(self, length_multiple, max_length) -> tuple[np.ndarray, np.ndarray]:
        """Returns all padded lengths, and how many pairs of each chunk have them."""
        key = length_multiple, max_length
        if key not in self._known:
            rows = [
                np.unique(_padded_lengths(sides, *key), return_counts=True)
                for sides in self._cache.lengths(self._chunks)
            ]
            lengths = np.unique(np.concatenate([np.zeros(0, np.int64), *(row[0] for row in rows)]))
            counts = np.zeros((len(rows), len(lengths)), np.int64)
            for row, (present, number) in zip(counts, rows):
                row[np.searchsorted(lengths, present)] = number
            self._known[key] = lengths, counts
        return self._known[key]


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

    What an interrupted process left is used. Where the sides are those of one `PairStream`, its
    groups are those of the pairs.

    Args:
        folder: The folder of the cache, made if needed.
        sources: Source sentences.
        targets: Their translations.
        tokenizer: The tokenizer of the source.
        target_tokenizer: The tokenizer of the target; the source's by default.
        progress: Called with the number of pairs that are tokenized.
        engine: Where to tokenize, entered; threads of this process by default.

    Returns:
        The pairs.

    Raises:
        InputError: The numbers of sentences differ, the cache is that of another tokenizer or
            text, or the folder cannot be written to.

    Example:
        >>> pairs = cache_pairs("cache", ["two dogs"], ["zwei hunde"], tokenizer)
        >>> batches = tfc.text.training_dataset(pairs, batch_tokens=4096, seed=1)
    """
    tokenizers = (tokenizer, target_tokenizer or tokenizer)
    digests = [hashlib.sha256(one.proto).hexdigest()[:16] for one in tokenizers]
    is_short = max(one.vocabulary_size for one in tokenizers) <= 1 << 16
    try:
        cache = TokenCache(folder)
    except InputError:  # What is damaged or not finished is made again, and only that.
        cache = None
    if cache is None:
        cache = write_cache(
            folder,
            _chunks(sources, targets),
            columns=_COLUMNS,
            tokenizers=digests,
            encode=functools.partial(_encode, tokenizers, is_short),
            engine=engine or Engine(),
            progress=progress,
        )
    elif cache.content.tokenizers != digests:
        raise InputError(
            f"The token cache is that of another tokenizer. Received: {folder}, made with "
            f"{' and '.join(cache.content.tokenizers)}, not {' and '.join(digests)}. Remove the "
            "folder, or give another."
        )
    elif [(chunk.group, chunk.digest) for chunk in cache.content.chunks] != [
        *_digests(sources, targets)
    ]:
        raise InputError(
            f"The token cache is that of another text. Received: {folder}, with "
            f"{sum(chunk.examples for chunk in cache.content.chunks):,} pairs. Remove the folder, "
            "or give another."
        )
    return CachedPairs(cache)


def _encode(tokenizers, is_short, texts) -> list[Ragged]:
    raggeds = (one.encode_corpus(side) for one, side in zip(tokenizers, texts))
    return [(ids.astype(np.uint16 if is_short else np.int32), splits) for ids, splits in raggeds]


def _chunks(sources, targets) -> Iterator[TextChunk]:
    if _is_one_stream(sources, targets):
        yield from sources.stream.chunks()
        return
    if isinstance(sources, StreamSide):  # With targets of another kind, as a teacher's.
        _check_counts(sources, targets)
        rest = iter(targets)
        for group, _, texts in sources.stream.chunks():
            side = texts[sources.side]
            chunk = side, (*itertools.islice(rest, len(side)),)
            yield group, chunk_digest(chunk), chunk
        return
    _check_counts(sources, targets)
    for chunk in chunked(zip(sources, targets)):
        yield 0, chunk_digest(chunk), chunk


def _digests(sources, targets) -> Iterator[tuple[int, str]]:
    if _is_one_stream(sources, targets):
        for group, digests in enumerate(sources.stream.index.digests):
            yield from ((group, digest) for digest in digests)
        return
    yield from ((group, digest) for group, digest, _ in _chunks(sources, targets))


def _is_one_stream(sources, targets):
    both = isinstance(sources, StreamSide) and isinstance(targets, StreamSide)
    return both and sources.stream is targets.stream and (sources.side, targets.side) == (0, 1)


def _check_counts(sources, targets):
    if len(sources) != len(targets):
        raise InputError(
            f"Sources and targets are not as many. Received: {len(sources)} sources, "
            f"{len(targets)} targets. Give one target a source."
        )


def _padded_lengths(sides, length_multiple, max_length) -> np.ndarray:
    """Returns the padded lengths of those pairs that are short enough."""
    nothing = np.uint16(0)
    arrays = []
    for lengths in sides:
        arrays += [np.broadcast_to(nothing, lengths.sum()), np.concatenate([[0], lengths.cumsum()])]
    pairs = TokenizedPairs(*arrays)
    return pairs.batch_lengths(length_multiple, max_length)[pairs.fits(max_length)]


def _read_ahead(windows, load, first) -> Iterator[Batch]:
    """Gives the batches of windows after the first ones; the next window is read meanwhile."""
    current, skip = None, 0
    with ThreadPoolExecutor(1) as pool:
        for number, rows, batches in windows:
            if first >= batches:
                first -= batches
                continue
            following = pool.submit(load, number, rows)
            if current is not None:
                yield from _batches(current.result(), skip)
            current, skip, first = following, first, 0


def _batches(window, skip):
    pairs, batches = window
    return ((pairs, indices) for indices in batches[skip:])
