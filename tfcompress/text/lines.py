r"""Lines of text files, read a few megabytes at a time.

Lines end in `\n` or `\r\n` and nowhere else: other Unicode separators stay in the line, so that
two aligned files never lose step. A byte order mark at the beginning is dropped.
"""

import abc
import contextlib
import gzip
import io
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice, zip_longest
from pathlib import Path
from typing import IO, Any, TypeVar, cast, overload

from tfcompress.errors import InputError

COMPRESSED = (".gz", ".zst")
_BLOCK = 1 << 22
_NAMES = {".gz": "gzip", ".zst": "zstd"}


def read_lines(path: str | Path) -> list[str]:
    """Reads a UTF-8 text file, compressed if its name ends in `.gz` or `.zst`.

    Args:
        path: The file.

    Returns:
        The lines without their ends.

    Raises:
        InputError: The file is missing, unreadable, a damaged compressed file, or not UTF-8.

    Example:
        >>> read_lines("corpus/train.en")[0]
        "My neighbour doesn't like to travel to Denmark."
    """
    return [*iterate_lines(path)]


def iterate_lines(path: str | Path) -> Iterator[str]:
    """Reads a text file as `read_lines` does, but gives one line at a time.

    Args:
        path: The file.

    Raises:
        InputError: As for `read_lines`, when the reading comes to it.

    Example:
        >>> next(iterate_lines("corpus/train.en"))
        "My neighbour doesn't like to travel to Denmark."
    """
    return chain.from_iterable(_blocks(Path(path)))


Item = TypeVar("Item", covariant=True)


class ReadSequence(Sequence[Item]):
    """What is read anew whenever it is needed.

    Going through it from the beginning is cheap; a single item is looked for from there.
    """

    @abc.abstractmethod
    def __iter__(self) -> Iterator[Item]: ...

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> list[Item]: ...
    def __getitem__(self, index):
        chosen = range(len(self))[index]
        if not isinstance(index, slice):
            return next(islice(self, chosen, None))
        wanted = {*chosen}
        read = enumerate(islice(self, max(chosen, default=-1) + 1))
        items = {number: item for number, item in read if number in wanted}
        return [items[number] for number in chosen]


class FileLines(ReadSequence[str]):
    """The lines of a text file, which are read when they are needed.

    Args:
        path: The file.
        count: The number of its lines.

    Example:
        >>> lines = FileLines("corpus/train.en", count=40)
        >>> next(iter(lines)) == lines[0]
        True
    """

    def __init__(self, path: str | Path, count: int):
        self._path, self._count = Path(path), count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[str]:
        return iterate_lines(self._path)

    def are(self, lines: Iterable[str]) -> bool:
        """Whether the file is there and has these lines.

        Args:
            lines: The lines.
        """
        return self._path.exists() and all(a == b for a, b in zip_longest(self, lines))


def _blocks(path: Path) -> Iterator[list[str]]:
    number, rest, mark = 0, [], "\ufeff"
    for data in _read(path):
        end = data.rfind(b"\n") + 1
        if not end:
            rest.append(data)
            continue
        lines = _decoded(b"".join([*rest, data[:end]]), path, number).removeprefix(mark).split("\n")
        lines.pop()
        rest, mark = [data[end:]], ""
        number += len(lines)
        yield [line.removesuffix("\r") for line in lines]
    if last := b"".join(rest):
        last_line = _decoded(last, path, number).removeprefix(mark)
        yield [last_line.removesuffix("\r")] if last_line else []


def _decoded(data, path, number):
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = number + data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"The file is not UTF-8 (byte 0x{data[error.start]:02x}). Received: {path}, line "
            f"{line}. Convert the file to UTF-8."
        ) from None


def _read(path: Path) -> Iterator[bytes]:
    with open_bytes(path) as file:
        while data := file.read(_BLOCK):
            yield data


@contextlib.contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """Opens a file for reading, decompressed if its name ends in `.gz` or `.zst`.

    Args:
        path: The file.

    Raises:
        InputError: The file is missing or unreadable or, while it is read, damaged.
    """
    try:
        with path.open("rb") as raw, _decompressed(raw, path) as file:
            yield file
    except FileNotFoundError:
        raise InputError(f"No such file. Received: {path}. Check the path.") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _damaged(path, error) from None
    except OSError as error:
        if error.strerror is None:  # What Arrow says of a damaged file has no number.
            raise _damaged(path, error) from None
        raise InputError(
            f"The file cannot be read ({error.strerror}). Received: {path}. Check the path."
        ) from None


def _decompressed(raw: IO[bytes], path: Path) -> Any:
    if path.suffix == ".gz":
        return gzip.open(raw)
    if path.suffix != ".zst":
        return contextlib.nullcontext(raw)
    try:
        import pyarrow
    except ImportError:
        raise InputError(
            f"Files compressed with zstd need the package pyarrow. Received: {path}. Install "
            "pyarrow, or decompress the file."
        ) from None
    return io.BufferedReader(
        pyarrow.CompressedInputStream(pyarrow.PythonFile(raw, "r"), "zstd"), _BLOCK
    )


def open_compressed(path: Path) -> IO[bytes]:
    """Opens a file for writing, compressed if its name ends in `.gz` or `.zst`.

    Args:
        path: The file.
    """
    if path.suffix == ".gz":
        return cast(IO[bytes], gzip.open(path, "wb"))
    if path.suffix == ".zst":
        import pyarrow

        return pyarrow.output_stream(str(path), compression="zstd")
    return path.open("wb")


def _damaged(path, error):
    return InputError(
        f"A {_NAMES[path.suffix]} file is damaged ({error}). Received: {path}. Compress it again."
    )
