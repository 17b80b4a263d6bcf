"""A training split that stays in its files: read in chunks, known by a digest of each."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any, Self

from tfcompress.digests import CorruptFileError, read_checked_json, write_checked_json
from tfcompress.errors import InputError
from tfcompress.schema import from_mapping
from tfcompress.text.lines import ReadSequence
from tfcompress.text.row_files import RowFiles

MOST_CLASSES = 10_000
CHUNK = 1 << 14
"""The rows of a chunk; the last one of a group has fewer."""

Chunk = tuple[Sequence[str], ...]
"""The columns of some rows."""


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
class HeldOut:
    """What of files without splits is not for training.

    Attributes:
        largest_hash: The largest hash of a first text that is held out.
        splits: The columns of "valid" and "test".
    """

    largest_hash: int
    splits: dict[str, list[list[str]]]


@dataclass(frozen=True)
class StreamIndex:
    """What one reading of a stream found.

    Attributes:
        files: Its files.
        rows: The number of rows of each group.
        digests: The digests of the chunks of each group.
        classes: The distinct values of the last column, where that has classes; one more than
            `MOST_CLASSES` where there are more.
        held_out: What the same files have for validation and test, where they have no splits.
    """

    files: list[FileState]
    rows: list[int]
    digests: list[list[str]]
    classes: list[str] = field(default_factory=list)
    held_out: HeldOut | None = None

    def digest(self) -> str:
        """Returns 16 hexadecimal digits that change when any text changes."""
        return hashlib.sha256(json.dumps(self.digests).encode()).hexdigest()[:16]


class TextStream:
    """Rows of texts, such as sentence pairs, read from their files whenever they are needed.

    Args:
        groups: The files, in groups that can have weights of their own.
        index: Where the index of an earlier reading lies, if there was one. It is believed while
            the files have their sizes and times; if not, they are read again and must be the same.
        has_classes: Whether the index shall have the distinct values of the last column.
        held_out: What the index shall say of validation and test.

    Example:
        >>> corpus = tfc.text.open_corpus("corpus", source_language="en")
        >>> stream = corpus.splits["train"][0].stream
        >>> stream.index.rows
        [500]
    """

    def __init__(
        self,
        groups: Sequence[RowFiles],
        *,
        index: str | Path | None = None,
        has_classes: bool = False,
        held_out: HeldOut | None = None,
    ):
        self.groups = tuple(groups)
        self.held_out = held_out
        self._index_path = index
        self._has_classes = has_classes
        self._index: StreamIndex | None = None

    @property
    def columns(self) -> tuple["StreamColumn", ...]:
        """The columns, such as source sentences and target sentences."""
        return tuple(StreamColumn(self, number) for number in range(self.groups[0].columns))

    def held_out_columns(self) -> dict[str, tuple[list[str], ...]]:
        """Returns the columns of validation and test, where the same files have them."""
        splits = {} if self.held_out is None else self.held_out.splits
        return {split: tuple(columns) for split, columns in splits.items()}

    def in_memory(self) -> tuple[list[str], ...]:
        """Returns the columns, read into memory.

        Raises:
            InputError: A file cannot be used.
        """
        columns = zip(*(row for files in self.groups for row in files.rows()))
        return tuple(map(list, columns)) or tuple([] for _ in self.columns)

    @property
    def index(self) -> StreamIndex:
        """What a reading of all files found; they are read when it is first asked for.

        Raises:
            InputError: A file cannot be used, changed while it was read, or is not what the index
                of the earlier reading says.
        """
        if self._index is None:
            former, state = read_index(self._index_path), self._state()
            if former is None or former.files != state:
                index = self._scan(state)
                if former is not None and former.digests != index.digests:
                    raise InputError(_difference(former, index, self.groups[0].unit))
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
        write_checked_json(path, asdict(self.index))

    def chunks(self) -> Iterator[tuple[int, str, Chunk]]:
        """Reads the rows, `CHUNK` at a time.

        Returns:
            The group's number, the digest and the columns of each chunk.

        Raises:
            InputError: The files are no longer what the index says.
        """
        expected = self.index
        place = [0] * len(self.groups)
        for group, digest, chunk in self._chunks():
            at = place[group]
            place[group] += 1
            if expected.digests[group][at : at + 1] != [digest]:
                raise InputError(changed_message(self._paths()))
            yield group, digest, chunk
        if place != [*map(len, expected.digests)]:
            raise InputError(changed_message(self._paths()))

    def _chunks(self):
        for group, files in enumerate(self.groups):
            for chunk in chunked(files.rows()):
                yield group, chunk_digest(chunk), chunk

    def _scan(self, state):
        rows, digests = [0] * len(self.groups), [[] for _ in self.groups]
        classes: Any = set()
        for group, digest, chunk in self._chunks():
            rows[group] += len(chunk[0])
            digests[group].append(digest)
            if self._has_classes and len(classes) <= MOST_CLASSES:
                classes.update(chunk[-1])
        if self._state() != state:
            raise InputError(changed_message(self._paths()))
        classes = sorted(classes)[: MOST_CLASSES + 1]
        return StreamIndex(state, rows, digests, classes, self.held_out)

    def _state(self):
        return file_states(self._paths())

    def _paths(self):
        return [path for files in self.groups for path in files.paths]


class StreamColumn(ReadSequence[Any]):
    """One column of a stream, such as its source sentences, as a sequence.

    Args:
        stream: The stream.
        number: The column's number, from 0.
    """

    def __init__(self, stream: TextStream, number: int):
        self.stream = stream
        self.number = number

    def __len__(self) -> int:
        return sum(self.stream.index.rows)

    def __iter__(self) -> Iterator[Any]:
        for _, _, chunk in self.stream.chunks():
            yield from self.values(chunk)

    def values(self, chunk: Chunk) -> Sequence[Any]:
        """Returns this column of a chunk of the stream.

        Args:
            chunk: The columns.
        """
        return chunk[self.number]


class ClassColumn(StreamColumn):
    """The last column of a stream, as the numbers of classes.

    Args:
        stream: The stream.
        names: The names of the classes, in the order of their numbers.
    """

    def __init__(self, stream: TextStream, names: Sequence[str]):
        super().__init__(stream, stream.groups[0].columns - 1)
        self.names = tuple(names)
        self._numbers = {name: number for number, name in enumerate(names)}

    def values(self, chunk: Chunk) -> Sequence[int]:
        """Returns the numbers of the classes of a chunk of the stream.

        Args:
            chunk: The columns.
        """
        return [self._numbers[name] for name in chunk[self.number]]


class StreamCorpus:
    """What corpora share whose training split may be a stream.

    Attributes:
        splits: The columns of each split, by its name.
    """

    splits: Any

    def save_index(self, path: str | Path) -> None:
        """Writes the index of the training split, if that is a stream.

        Args:
            path: The file, which spares the next opening of the corpus its reading.

        Raises:
            InputError: The file cannot be written, or the corpus changed while it was read.
        """
        texts = self.splits["train"][0]
        if isinstance(texts, StreamColumn):
            texts.stream.save_index(path)

    def in_memory(self) -> Self:
        """Returns the corpus with its training split read into memory.

        Raises:
            InputError: A file cannot be used.
        """
        columns = self.splits["train"]
        texts = columns[0].stream.in_memory()
        train = tuple([*column.values(texts)] for column in columns)
        corpus: Any = self
        return replace(corpus, splits={**self.splits, "train": train})


def read_index(path: str | Path | None) -> StreamIndex | None:
    """Returns what `TextStream.save_index` wrote, None where it did not.

    Args:
        path: The file, if any.

    Raises:
        InputError: The file is damaged or cannot be read.
    """
    if path is None:
        return None
    try:
        return from_mapping(StreamIndex, read_checked_json(path))
    except FileNotFoundError:
        return None
    except (CorruptFileError, InputError) as error:
        if isinstance(error.__cause__, OSError):
            raise
        raise InputError(
            f"The index of the corpus is damaged ({error}). Received: {path}. Remove the file: it "
            "is made again."
        ) from None


def file_states(paths: Sequence[Path]) -> list[FileState]:
    """Returns how files are.

    Args:
        paths: The files.

    Raises:
        InputError: There is no such file.
    """
    try:
        return [
            FileState(str(path.resolve()), status.st_size, status.st_mtime_ns)
            for path in paths
            for status in [path.stat()]
        ]
    except FileNotFoundError as error:
        raise InputError(f"No such file. Received: {error.filename}. Check the path.") from None


def changed_message(paths: Sequence[Path]) -> str:
    """Returns what an error says of files that changed while they were read.

    Args:
        paths: The files of the corpus.
    """
    more = f" and {len(paths) - 2} more" if len(paths) > 2 else ""
    return (
        f"The corpus changed while it was read. Received: {', '.join(map(str, paths[:2]))}{more}. "
        "Start again when nothing writes to it."
    )


def stream_of(columns: Sequence[Sequence[Any]]) -> TextStream | None:
    """Returns the stream that has these columns and no others; None where there is none.

    Args:
        columns: The columns of a split.
    """
    first = columns[0]
    if not isinstance(first, StreamColumn):
        return None
    parts = [
        column.number
        if isinstance(column, StreamColumn) and column.stream is first.stream
        else None
        for column in columns
    ]
    return first.stream if parts == [*range(first.stream.groups[0].columns)] else None


def split_content(columns: Sequence[Sequence[Any]]) -> Any:
    """Returns what a digest of a split is taken of.

    Args:
        columns: Its columns.

    Raises:
        InputError: It is a stream that cannot be read.
    """
    # A column that there is twice counts once.
    once = [c for n, c in enumerate(columns) if not any(c is other for other in columns[:n])]
    stream = stream_of(once)
    return [[*column] for column in once] if stream is None else stream.index.digest()


def in_parts(texts: Iterable[Any]) -> Iterator[list[Any]]:
    """Returns `CHUNK` texts at a time.

    Args:
        texts: The texts.

    Example:
        >>> [*in_parts(["two dogs", "a man"])]
        [['two dogs', 'a man']]
    """
    texts = iter(texts)
    while part := [*islice(texts, CHUNK)]:
        yield part


def chunked(rows: Iterable[Sequence[Any]]) -> Iterator[Chunk]:
    """Returns the columns of `CHUNK` rows at a time.

    Args:
        rows: The rows.

    Example:
        >>> [*chunked([("two dogs", "zwei hunde")])]
        [(('two dogs',), ('zwei hunde',))]
    """
    return (tuple(zip(*part)) for part in in_parts(rows))


def chunk_digest(chunk: Chunk) -> str:
    """Returns 16 hexadecimal digits that change with any text of a chunk.

    Args:
        chunk: The columns.
    """
    content = "\0".join("\n".join(map(str, column)) for column in chunk)
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _difference(former, index, unit):
    counts = sum(former.rows), sum(index.rows)
    if counts[0] != counts[1]:
        what = f"{counts[1]:,} {unit} instead of {counts[0]:,}"
    else:
        digests = zip(*(chain.from_iterable(one.digests) for one in (former, index)))
        chunk = next(number for number, (one, other) in enumerate(digests) if one != other)
        what = f"other {unit} from {chunk * CHUNK + 1:,} on, or a little later"
    return (
        f"The corpus is no longer what this run began with. Received: {what}. Restore its files, "
        "or begin another run."
    )
