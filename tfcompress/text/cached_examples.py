"""Tokenized examples of any number, in a cache on the disk."""

import abc
import functools
import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from tfcompress.engine import Engine
from tfcompress.errors import InputError
from tfcompress.text.batching import (
    Limit,
    check_batches,
    count_batches,
    epoch_batches,
    first_batch,
)
from tfcompress.text.text_stream import StreamColumn, chunk_digest, chunked, stream_of
from tfcompress.text.token_cache import CacheError, Ragged, TextChunk, TokenCache, write_cache

if TYPE_CHECKING:
    from tfcompress.text.tokenizer import Tokenizer

WINDOW_IDS = 1 << 26
"""About how many ids of a cache are in memory at a time."""


class CachedExamples(abc.ABC):
    """Tokenized examples that stay on the disk; subclasses say what an example is.

    An epoch goes through the examples in windows of about `WINDOW_IDS` ids. Each window has chunks
    of the text from everywhere, other ones every epoch, and is divided into batches as examples in
    memory are. A corpus that fits a window is one, and has their batches exactly. The next window
    is read while the batches of one are used.

    Args:
        cache: The cache.
        group: The group of chunks to take; all by default.
        window_ids: About how many ids are in memory at a time.
        variants: How many versions of the text the cache has; epochs have them in turn.
    """

    def __init__(
        self,
        cache: TokenCache,
        *,
        group: int | None = None,
        window_ids: int = WINDOW_IDS,
        variants: int = 1,
    ):
        self._cache = cache
        self._window_ids = window_ids
        self._variants = variants
        chunks = cache.content.chunks
        taken = [n for n, c in enumerate(chunks) if group in (None, c.group // variants)]
        # One version after another.
        self._chunks = np.array(sorted(taken, key=lambda n: chunks[n].group % variants), np.int64)
        self._count = len(taken) // variants
        parts = self._chunks.reshape(variants, self._count)
        self._texts = sum(chunks[number].examples for number in parts[0])
        ids = max(sum(chunks[number].ids for number in part) for part in parts)
        self._windows = min(max(1, -(-ids // window_ids)), max(1, self._count))
        self._known: dict[tuple, tuple[np.ndarray, np.ndarray]] = {}
        self._whole: Any = None

    def __len__(self) -> int:
        return self._texts

    @abc.abstractmethod
    def _group(self, number: int) -> Self:
        """Returns the examples of a group."""

    @abc.abstractmethod
    def _read(self, places: np.ndarray) -> Any:
        """Returns the examples of some chunks, by their places among those used here."""

    @abc.abstractmethod
    def _padded_lengths(
        self, place: int, columns: Sequence[np.ndarray], length_multiple: int, max_length: Limit
    ) -> np.ndarray:
        """Returns the padded lengths of those examples of a chunk that are short enough.

        Args:
            place: The chunk's place among those used here.
            columns: The numbers of ids of each column's texts.
            length_multiple: As for `epoch_batches`.
            max_length: As for `epoch_batches`.
        """

    def groups(self) -> list[Self]:
        """Returns the examples of each group."""
        numbers = sorted({chunk.group // self._variants for chunk in self._cache.content.chunks})
        return [*map(self._group, numbers)]

    def left_out(self, max_length: Limit) -> int:
        """Counts the examples too long for `max_length`, which no batch contains.

        Args:
            max_length: As for `epoch_batches`.
        """
        return len(self) - int(self._histograms(4, max_length)[1][: self._count].sum())

    def in_memory(self) -> Any:
        """Returns all examples, in the first version of the text, read into memory."""
        return self._read(np.arange(self._count))

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
    ) -> Callable[[], Iterator[Any]]:
        """Returns a function that gives the batches of training, as examples in memory have it.

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
                for number, places in enumerate(self._epoch(seed, epoch)):
                    batches = count_batches(lengths, counts[places].sum(axis=0), batch_tokens)
                    yield epoch * self._windows + number, places, batches

        def load(number, places):
            examples = self._window(places)
            return examples, epoch_batches(examples, epoch=number, **options)

        return lambda: _read_ahead(windows(), load, first)

    def _epoch(self, seed, epoch) -> list[np.ndarray]:
        """Returns the chunks of each window of an epoch, by their places among those used here."""
        places = np.arange(self._count)
        if self._windows > 1:
            places = np.random.default_rng([seed, epoch, self._windows]).permutation(places)
        return np.array_split(places + epoch % self._variants * self._count, self._windows)

    def _window(self, places) -> Any:
        if self._windows > 1 or self._variants > 1:
            return self._read(places)
        if self._whole is None:
            self._whole = self._read(places)
        return self._whole

    def _histograms(self, length_multiple, max_length) -> tuple[np.ndarray, np.ndarray]:
        """Returns all padded lengths, and how many examples of each chunk have them."""
        key = length_multiple, max_length
        if key not in self._known:
            rows = [
                np.unique(self._padded_lengths(place, columns, *key), return_counts=True)
                for place, columns in enumerate(self._cache.lengths(self._chunks))
            ]
            lengths = np.unique(np.concatenate([np.zeros(0, np.int64), *(row[0] for row in rows)]))
            counts = np.zeros((len(rows), len(lengths)), np.int64)
            for row, (present, number) in zip(counts, rows):
                row[np.searchsorted(lengths, present)] = number
            self._known[key] = lengths, counts
        return self._known[key]


@dataclass(frozen=True)
class ColumnEncoder:
    """What makes ids of a column of a corpus.

    Attributes:
        name: The column's name.
        digest: 16 hexadecimal digits that change with what it makes of a text.
        ids: The number of different ids.
        encode: Makes ids of the column of a chunk.
    """

    name: str
    digest: str
    ids: int
    encode: Callable[[Any], Ragged]


def tokenizer_column(name: str, tokenizer: "Tokenizer") -> ColumnEncoder:
    """Returns what makes ids of a column with a SentencePiece tokenizer.

    Args:
        name: The column's name.
        tokenizer: The tokenizer.
    """
    digest = hashlib.sha256(tokenizer.proto).hexdigest()[:16]
    return ColumnEncoder(name, digest, tokenizer.vocabulary_size, tokenizer.encode_corpus)


def cache_columns(
    folder: str | Path,
    columns: Sequence[Sequence[Any]],
    encoders: Sequence[ColumnEncoder],
    *,
    progress: Callable[[int], object] = lambda examples: None,
    engine: Engine | None = None,
) -> TokenCache:
    """Tokenizes the columns of a corpus into a cache, or opens that which there is.

    Args:
        folder: The folder of the cache, made if needed.
        columns: The columns, in memory or of a `TextStream`, as long as each other.
        encoders: What makes ids of each.
        progress: Called with the number of examples that are tokenized.
        engine: Where texts are tokenized, entered; threads of this process by default.

    Returns:
        The cache.

    Raises:
        InputError: The cache is that of another tokenizer or text, a file of the corpus changed,
            or the folder cannot be read or written to.
    """
    id_type = np.uint16 if max(one.ids for one in encoders) <= 1 << 16 else np.int32
    return cache_chunks(
        folder,
        lambda: text_chunks(columns),
        lambda: text_digests(columns),
        names=[one.name for one in encoders],
        digests=[one.digest for one in encoders],
        encode=functools.partial(_encode, encoders, id_type),
        progress=progress,
        engine=engine,
    )


def cache_chunks(
    folder: str | Path,
    chunks: Callable[[], Iterable[TextChunk]],
    chunk_digests: Callable[[], Iterable[tuple[int, str]]],
    *,
    names: Sequence[str],
    digests: Sequence[str],
    encode: Callable[[Any], list[Ragged]],
    progress: Callable[[int], object] = lambda examples: None,
    engine: Engine | None = None,
) -> TokenCache:
    """Tokenizes chunks of text into a cache, or opens that which there is.

    Args:
        folder: The folder of the cache, made if needed.
        chunks: Gives the chunks.
        chunk_digests: Gives their groups and digests alone, which may be faster.
        names: The names of the cache's columns.
        digests: The digests of what makes ids of each.
        encode: Makes the columns of a chunk.
        progress: Called with the number of examples that are tokenized.
        engine: Where texts are tokenized, entered; threads of this process by default.

    Raises:
        InputError: As for `cache_columns`.
    """
    try:
        cache = TokenCache(folder)
    except CacheError:  # What is damaged or not finished is made again, and only that.
        return write_cache(
            folder,
            chunks(),
            columns=names,
            tokenizers=digests,
            encode=encode,
            engine=engine or Engine(),
            progress=progress,
        )
    if (cache.content.columns, cache.content.tokenizers) != ([*names], [*digests]):
        raise InputError(
            f"The token cache is that of another tokenizer. Received: {folder}, made with "
            f"{' and '.join(cache.content.tokenizers)}, not {' and '.join(digests)}. Remove the "
            "folder, or give another."
        )
    if [(chunk.group, chunk.digest) for chunk in cache.content.chunks] != [*chunk_digests()]:
        raise InputError(
            f"The token cache is that of another text. Received: {folder}, with "
            f"{sum(chunk.examples for chunk in cache.content.chunks):,} {names[0]} texts. Remove "
            "the folder, or give another."
        )
    return cache


def _encode(encoders, id_type, texts) -> list[Ragged]:
    raggeds = (one.encode(column) for one, column in zip(encoders, texts))
    return [(ids.astype(id_type), splits) for ids, splits in raggeds]


def text_chunks(columns: Sequence[Any]) -> Iterator[TextChunk]:
    """Gives the chunks of the columns of a corpus.

    Args:
        columns: As for `cache_columns`.
    """
    stream, first = stream_of(columns), columns[0]
    if stream is not None:
        for group, digest, texts in stream.chunks():
            yield group, digest, [column.values(texts) for column in columns]
    elif isinstance(first, StreamColumn):  # With others of another sort, as a teacher's targets.
        rests = [*map(iter, columns[1:])]
        for group, _, texts in first.stream.chunks():
            own = first.values(texts)
            chunk = (own, *(tuple(itertools.islice(rest, len(own))) for rest in rests))
            yield group, chunk_digest(chunk), chunk
    else:
        for chunk in chunked(zip(*columns)):
            yield 0, chunk_digest(chunk), chunk


def text_digests(columns: Sequence[Sequence[Any]]) -> Iterator[tuple[int, str]]:
    """Gives the group and the digest of each chunk of the columns of a corpus.

    Args:
        columns: As for `cache_columns`.
    """
    stream = stream_of(columns)
    if stream is None:
        yield from ((group, digest) for group, digest, _ in text_chunks(columns))
        return
    for group, digests in enumerate(stream.index.digests):
        yield from ((group, digest) for digest in digests)


def _read_ahead(windows, load, first) -> Iterator[Any]:
    """Gives the batches of windows after the first ones; the next window is read meanwhile."""
    current, skip = None, 0
    with ThreadPoolExecutor(1) as pool:
        for number, places, batches in windows:
            if first >= batches:
                first -= batches
                continue
            following = pool.submit(load, number, places)
            if current is not None:
                yield from _batches(current.result(), skip)
            current, skip, first = following, first, 0


def _batches(window, skip):
    examples, batches = window
    return ((examples, indices) for indices in batches[skip:])
