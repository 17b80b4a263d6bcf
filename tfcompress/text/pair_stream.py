"""A training split that stays in its files: read in chunks, known by a digest of each."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import chain, islice
from pathlib import Path
from typing import overload

from tfcompress.errors import InputError
from tfcompress.files import read_json, replace_file
from tfcompress.schema import from_mapping
from tfcompress.text.pair_files import PairFiles

CHUNK = 1 << 14
"""The pairs of a chunk; the last one of a group has fewer."""

Chunk = tuple[Sequence[str], Sequence[str]]


@dataclass(frozen=True)
class FileState:
    """How a file was when it was read.

    Attributes:
        path: Its path.
        size: Its bytes.
        modified_ns: When it was modified last, in nanoseconds.
    """

    path: str
    size: int
    modified_ns: int


@dataclass(frozen=True)
class PairIndex:
    """What one reading of a stream found.

    Attributes:
        files: Its files.
        pairs: The number of pairs of each group.
        digests: The digests of the chunks of each group.
    """

    files: list[FileState]
    pairs: list[int]
    digests: list[list[str]]

    def digest(self) -> str:
        """Returns 16 hexadecimal digits that change when any sentence changes."""
        return hashlib.sha256(json.dumps(self.digests).encode()).hexdigest()[:16]


class PairStream:
    """Sentence pairs that are read from their files whenever they are needed.

    Args:
        groups: The files, in groups that can have weights of their own.
        index: Where the index of an earlier reading lies, if there was one. It is believed while
            the files have their sizes and times; if not, they are read again and must be the same.

    Example:
        >>> corpus = tfc.text.open_corpus("corpus", source_language="en")
        >>> stream = corpus.splits["train"][0].stream
        >>> stream.index.pairs
        [500]
    """

    def __init__(self, groups: Sequence[PairFiles], *, index: str | Path | None = None):
        self.groups = tuple(groups)
        self._index_path = None if index is None else Path(index)
        self._index: PairIndex | None = None

    @property
    def sides(self) -> tuple["StreamSide", "StreamSide"]:
        """The source sentences and the target sentences."""
        return StreamSide(self, 0), StreamSide(self, 1)

    @property
    def index(self) -> PairIndex:
        """What a reading of all files found; they are read when it is first asked for.

        Raises:
            InputError: A file cannot be used, changed while it was read, or is not what the index
                of the earlier reading says.
        """
        if self._index is None:
            former, state = self._former(), self._state()
            if former is None or former.files != state:
                index = self._scan(state)
                if former is not None and former.digests != index.digests:
                    raise InputError(_difference(former, index))
                former = index
            self._index = former
        return self._index

    def save_index(self, path: str | Path) -> None:
        """Writes the index, which spares the next reading.

        Args:
            path: The file.

        Raises:
            InputError: As for `index`, or the file cannot be written.
        """
        replace_file(path, (json.dumps(asdict(self.index)) + "\n").encode())

    def chunks(self) -> Iterator[tuple[int, str, Chunk]]:
        """Reads the pairs, `CHUNK` at a time.

        Returns:
            The group's number, the digest and the pairs of each chunk.

        Raises:
            InputError: The files are no longer what the index says.
        """
        expected = self.index
        place = [0] * len(self.groups)
        for group, digest, chunk in self._chunks():
            at = place[group]
            place[group] += 1
            if expected.digests[group][at : at + 1] != [digest]:
                raise InputError(self._changed())
            yield group, digest, chunk
        if place != [*map(len, expected.digests)]:
            raise InputError(self._changed())

    def _chunks(self):
        for group, files in enumerate(self.groups):
            for chunk in chunked(files.pairs()):
                yield group, chunk_digest(chunk), chunk

    def _scan(self, state):
        pairs, digests = [0] * len(self.groups), [[] for _ in self.groups]
        for group, digest, chunk in self._chunks():
            pairs[group] += len(chunk[0])
            digests[group].append(digest)
        if self._state() != state:
            raise InputError(self._changed())
        return PairIndex(state, pairs, digests)

    def _state(self):
        try:
            return [
                FileState(str(path.resolve()), status.st_size, status.st_mtime_ns)
                for files in self.groups
                for path in files.paths
                for status in [path.stat()]
            ]
        except FileNotFoundError as error:
            raise InputError(f"No such file. Received: {error.filename}. Check the path.") from None

    def _former(self):
        if self._index_path is None:
            return None
        try:
            return from_mapping(PairIndex, read_json(self._index_path))
        except FileNotFoundError:
            return None
        except InputError as error:
            raise InputError(
                f"The index of the corpus is damaged ({error}). Received: {self._index_path}. "
                "Remove the file: it is made again."
            ) from None

    def _changed(self):
        paths = [str(path) for files in self.groups for path in files.paths]
        more = f" and {len(paths) - 2} more" if len(paths) > 2 else ""
        return (
            f"The corpus changed while it was read. Received: {', '.join(paths[:2])}{more}. Start "
            "again when nothing writes to it."
        )


class StreamSide(Sequence[str]):
    """One side of a stream, as a sequence of sentences.

    Going through it from the beginning is cheap; a single sentence is looked for from there.

    Args:
        stream: The stream.
        side: 0 for sources, 1 for targets.
    """

    def __init__(self, stream: PairStream, side: int):
        self.stream = stream
        self.side = side

    def __len__(self) -> int:
        return sum(self.stream.index.pairs)

    def __iter__(self) -> Iterator[str]:
        for _, _, chunk in self.stream.chunks():
            yield from chunk[self.side]

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> list[str]: ...

    def __getitem__(self, index):
        if isinstance(index, slice):
            return [*islice(self, *index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(f"sentence {index} of {len(self)}")
        return next(islice(self, index % len(self), None))


def chunked(pairs: Iterable[tuple[str, str]]) -> Iterator[Chunk]:
    """Returns `CHUNK` pairs at a time.

    Args:
        pairs: The pairs.

    Example:
        >>> [*chunked([("two dogs", "zwei hunde")])]
        [(('two dogs',), ('zwei hunde',))]
    """
    pairs = iter(pairs)
    while chunk := [*islice(pairs, CHUNK)]:
        sources, targets = zip(*chunk)
        yield sources, targets


def chunk_digest(chunk: Chunk) -> str:
    """Returns 16 hexadecimal digits that change with any sentence of a chunk.

    Args:
        chunk: Sources and targets.
    """
    content = "\0".join("\n".join(side) for side in chunk)
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _difference(former, index):
    counts = sum(former.pairs), sum(index.pairs)
    if counts[0] != counts[1]:
        what = f"{counts[1]:,} pairs instead of {counts[0]:,}"
    else:
        digests = zip(*(chain.from_iterable(one.digests) for one in (former, index)))
        chunk = next(number for number, (one, other) in enumerate(digests) if one != other)
        what = f"other pairs from {chunk * CHUNK + 1:,} on, or a little later"
    return (
        f"The corpus is no longer what this run began with. Received: {what}. Restore its files, "
        "or begin another run."
    )
