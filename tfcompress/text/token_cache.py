"""Tokenized text in files of Arrow's IPC format, written once and read a chunk at a time.

A folder holds parts, each of some chunks of `CHUNK` examples, and `cache.json`, which is written
last and says what every part must be. A chunk is a record batch with a list of ids and its length
for each example and column.
"""

import json
import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from tfcompress.digests import CorruptFileError, read_checked_json, write_checked_json
from tfcompress.engine import Engine
from tfcompress.errors import InputError
from tfcompress.files import replace_file
from tfcompress.schema import from_mapping

MANIFEST = "cache.json"
FORMAT = 2
_PART = 16  # Chunks.

Ragged = tuple[np.ndarray, np.ndarray]
"""All ids in one array, and row splits: example `i` is `ids[row_splits[i]:row_splits[i + 1]]`."""


@dataclass(frozen=True)
class CachedChunk:
    """A chunk of a cache.

    Attributes:
        group: The number of its group.
        digest: That of its text.
        examples: The number of its examples.
        ids: The number of its ids, of all columns.
        checksum: CRC-32 of its ids.
    """

    group: int
    digest: str
    examples: int
    ids: int
    checksum: int


@dataclass(frozen=True)
class CacheContent:
    """What a cache holds.

    Attributes:
        format: The number of the format.
        columns: The names of the columns.
        tokenizers: The digest of the tokenizer of each column.
        chunks: The chunks, in the order of the text.
        part_bytes: The size of each part.
    """

    format: int
    columns: list[str]
    tokenizers: list[str]
    chunks: list[CachedChunk]
    part_bytes: list[int]


TextChunk = tuple[int, str, Any]
"""The group and the digest of a chunk of text, and its columns, or what else is encoded."""


class CacheError(InputError):
    """Raised for a cache that is missing or damaged: what is wrong is made again from the text."""


class TokenCache:
    """A cache that is complete.

    Args:
        folder: Its folder.

    Attributes:
        folder: Its folder.
        content: What it holds.

    Raises:
        CacheError: There is none, or it is damaged or of another version.
        InputError: It cannot be read.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        path = self.folder / MANIFEST
        try:
            self.content = from_mapping(CacheContent, read_checked_json(path))
        except FileNotFoundError:
            raise CacheError(
                f"No token cache. Received: {self.folder}. Tokenize the text first."
            ) from None
        except CorruptFileError as error:
            raise _damaged(path, str(error)) from None
        except InputError as error:
            if isinstance(error.__cause__, OSError):
                raise
            raise _damaged(path, str(error)) from None
        if self.content.format != FORMAT:
            raise _damaged(path, f"format {self.content.format}, not {FORMAT}")
        for number, expected in enumerate(self.content.part_bytes):
            part = part_path(self.folder, number)
            size = _size(part)
            if size != expected:
                raise _damaged(part, f"{'no' if size is None else size} bytes of {expected}")

    def read(self, numbers: Sequence[int] | np.ndarray) -> list[Ragged]:
        """Reads chunks into memory.

        Args:
            numbers: Which chunks, in the order that is wanted.

        Returns:
            The ids and row splits of each column.

        Raises:
            InputError: A part is damaged.
        """
        columns: list[list[Ragged]] = [[] for _ in self.content.columns]
        for number, raggeds in self._each(numbers, self._raggeds):
            chunk = self.content.chunks[number]
            if _checksum(raggeds) != chunk.checksum or _ids(raggeds) != chunk.ids:
                raise _damaged(part_path(self.folder, number // _PART), "a checksum differs")
            for column, ragged in zip(columns, raggeds):
                column.append(ragged)
        return [_joined(column) for column in columns]

    def lengths(self, numbers: Sequence[int] | np.ndarray) -> Iterator[list[np.ndarray]]:
        """Reads the numbers of ids alone, which is much faster.

        Args:
            numbers: Which chunks.

        Returns:
            For each chunk the lengths of each column's examples.

        Raises:
            InputError: A part is damaged.
        """
        count = len(self.content.columns)
        # The columns of lengths follow those of ids.
        fields = [*range(count, 2 * count)]

        def read(batch):
            return [column.to_numpy().astype(np.int64) for column in batch.columns]

        return (lengths for _, lengths in self._each(numbers, read, fields))

    def columns(
        self, numbers: Sequence[int] | np.ndarray, fields: Sequence[int]
    ) -> Iterator[list[np.ndarray]]:
        """Reads the ids of some columns alone, whose checksum is not verified.

        Args:
            numbers: Which chunks.
            fields: The numbers of the columns.

        Returns:
            For each chunk the ids of each column, without the row splits.

        Raises:
            InputError: A part is damaged.
        """

        def read(batch):
            return [column.values.to_numpy() for column in batch.columns]

        return (ids for _, ids in self._each(numbers, read, [*fields]))

    def _raggeds(self, batch):
        return _raggeds(batch, len(self.content.columns))

    def _each(self, numbers, read, fields=None):
        import pyarrow as pa

        options = pa.ipc.IpcReadOptions(included_fields=fields, use_threads=False)
        for number in numbers:
            path = part_path(self.folder, int(number) // _PART)
            try:
                # Read, not mapped: a file that is cut while it is mapped ends the process.
                with pa.OSFile(str(path)) as file, pa.ipc.open_file(file, options=options) as part:
                    values = read(part.get_batch(int(number) % _PART))
            except (OSError, pa.ArrowException, AttributeError, IndexError, ValueError) as error:
                _check_readable(path, error)
                raise _damaged(path, str(error)) from None
            yield number, values


def write_cache(
    folder: str | Path,
    chunks: Iterable[TextChunk],
    *,
    columns: Sequence[str],
    tokenizers: Sequence[str],
    encode: Callable[[Any], list[Ragged]],
    progress: Callable[[int], object] = lambda examples: None,
    engine: Engine,
) -> TokenCache:
    """Tokenizes text into a cache, or goes on where an earlier process stopped.

    Args:
        folder: The folder, made if needed.
        chunks: The text.
        columns: The names of the columns.
        tokenizers: The digest of the tokenizer of each column.
        encode: Tokenizes the columns of a chunk; ids are int32, or all uint16.
        engine: Where that is done, entered.
        progress: Called with the number of examples that are done.

    Returns:
        The cache.

    Raises:
        InputError: The folder cannot be written to, for instance because the disk is full (the
            parts that are finished remain), or a part that is there cannot be read.
    """
    folder, chunks = Path(folder), iter(chunks)
    written: list[CachedChunk] = []
    sizes = []
    while part := [*islice(chunks, _PART)]:
        path = part_path(folder, len(sizes))
        described = _finished(path, part, columns, tokenizers)
        if described is None:
            encoded = engine.map(encode, (texts for *_, texts in part))
            described = _write_part(path, part, columns, tokenizers, encoded)
        written += described
        progress(sum(chunk.examples for chunk in written))
        sizes.append(path.stat().st_size)
    write_manifest(folder, CacheContent(FORMAT, [*columns], [*tokenizers], written, sizes))
    return TokenCache(folder)


def write_manifest(folder: Path, content: CacheContent) -> None:
    """Writes what makes a cache complete.

    Args:
        folder: The cache's folder, with its parts.
        content: What it holds.

    Raises:
        InputError: The file cannot be written.
    """
    write_checked_json(folder / MANIFEST, asdict(content))


def part_path(folder: Path, number: int) -> Path:
    """Returns the file of a part.

    Args:
        folder: The cache's folder.
        number: The part's number, from 0.
    """
    return folder / f"part-{number:05}.arrow"


def _write_part(path, part, columns, tokenizers, encoded) -> list[CachedChunk]:
    import pyarrow as pa

    described, batches = [], []
    for (group, digest, _), raggeds in zip(part, encoded, strict=True):
        examples = len(raggeds[0][1]) - 1
        described.append(CachedChunk(group, digest, examples, _ids(raggeds), _checksum(raggeds)))
        lists = [pa.ListArray.from_arrays(splits.astype(np.int32), ids) for ids, splits in raggeds]
        lengths = [pa.array(np.diff(splits).astype(np.uint32)) for _, splits in raggeds]
        names = [*columns, *(f"{name}_length" for name in columns)]
        batches.append(pa.RecordBatch.from_arrays(lists + lengths, names=names))
    origin = {"tokenizers": [*tokenizers], "chunks": [asdict(chunk) for chunk in described]}
    schema = batches[0].schema.with_metadata({"tfcompress": json.dumps(origin)})

    def write(file):
        with pa.ipc.new_file(pa.PythonFile(file, "w"), schema) as writer:
            for batch in batches:
                writer.write_batch(batch.replace_schema_metadata(schema.metadata))

    replace_file(path, write)
    return described


def _finished(path, part, columns, tokenizers) -> list[CachedChunk] | None:
    """Describes the chunks of a part that an earlier process finished with the same text."""
    import pyarrow as pa

    try:
        with pa.OSFile(str(path)) as file, pa.ipc.open_file(file) as reader:
            origin = json.loads(reader.schema.metadata[b"tfcompress"])
            chunks = [from_mapping(CachedChunk, chunk) for chunk in origin["chunks"]]
            raggeds = [
                _raggeds(reader.get_batch(number), len(columns))
                for number in range(reader.num_record_batches)
            ]
    except (
        OSError,
        pa.ArrowException,
        AttributeError,
        LookupError,
        TypeError,
        ValueError,
    ) as error:
        _check_readable(path, error)
        return None
    expected = [(group, digest) for group, digest, _ in part]
    is_same = (
        origin["tokenizers"] == [*tokenizers]
        and [(chunk.group, chunk.digest) for chunk in chunks] == expected
        and [chunk.checksum for chunk in chunks] == [*map(_checksum, raggeds)]
    )
    return chunks if is_same else None


def _raggeds(batch, count) -> list[Ragged]:
    """Returns the columns of a record batch, no row splits where lengths and offsets differ."""
    raggeds = []
    for place in range(count):
        column, lengths = batch.column(place), batch.column(count + place).to_numpy()
        splits = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
        is_whole = np.array_equal(column.offsets.to_numpy(), splits)
        raggeds.append((column.values.to_numpy(), splits if is_whole else splits[:0]))
    return raggeds


def _ids(raggeds: Sequence[Ragged]) -> int:
    return sum(len(ids) for ids, _ in raggeds)


def _checksum(raggeds: Sequence[Ragged]) -> int:
    checksum = 0
    for ids, splits in raggeds:
        checksum = zlib.crc32(np.ascontiguousarray(ids).data, checksum)
        checksum = zlib.crc32(np.ascontiguousarray(splits, np.int64).data, checksum)
    return checksum


def _joined(raggeds: Sequence[Ragged]) -> Ragged:
    ids = np.concatenate([ids for ids, _ in raggeds])
    lengths = np.concatenate([np.diff(splits) for _, splits in raggeds])
    return ids, np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError as error:
        _check_readable(path, error)
        return None


def _check_readable(path: Path, error: Exception) -> None:
    """Raises what the operating system says of a file that is there.

    What Arrow says of a damaged file has no number.
    """
    number = getattr(error, "errno", None)
    if number is not None and not isinstance(error, FileNotFoundError):
        raise InputError(
            f"The token cache cannot be read ({os.strerror(number)}). Received: {path}. Check its "
            "permissions and the disk."
        ) from None


def _damaged(path, what):
    return CacheError(
        f"The token cache is damaged ({what}). Received: {path}. Remove the file: it is made again "
        "from the text."
    )
