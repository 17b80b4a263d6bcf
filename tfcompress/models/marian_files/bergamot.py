"""The format of Marian's and Bergamot's `.bin` files.

All numbers are little-endian: the version and the number of items; of each the lengths of name,
shape and data, and its type; then all names, all shapes, empty bytes up to a multiple of 256, and
all data, each padded to such a multiple.
"""

import math
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tfcompress.errors import InputError
from tfcompress.files import replace_file
from tfcompress.models.marian_files.content import (
    AGAIN,
    SETTINGS,
    IntegerTensor,
    MarianFile,
    Tensor,
    corrupt,
    encode_settings,
    parse_settings,
    read_bytes,
)

_VERSION = 1
_HEADER, _ITEM, _OFFSET = struct.Struct("<2Q"), struct.Struct("<4Q"), struct.Struct("<Q")
_ALIGNMENT = 256
_MOST_AXES = 8
_INT8, _FLOAT16, _FLOAT32, _INTGEMM8 = 0x101, 0x402, 0x404, 0x4101
# Marian's own number for the same.
_INTGEMM8_OF_MARIAN = 0x10001
_SIZES = {_INT8: 1, _FLOAT16: 2, _FLOAT32: 4, _INTGEMM8: 1, _INTGEMM8_OF_MARIAN: 1}
_MULTIPLIER = np.dtype("<f4")


class _Item(NamedTuple):
    name: str
    type: int
    shape: tuple[int, ...]
    data: memoryview

    @property
    def count(self) -> int:
        return math.prod(self.shape)


def read_bergamot(path: Path) -> MarianFile:
    """Reads a `.bin` file with weights in float32, or in 8 bits as Bergamot's tools write them.

    Args:
        path: The file.

    Raises:
        InputError: If it cannot be read, is truncated or altered, or has other types of weights.

    Example:

    >>> sorted(read_bergamot(Path("student.bin")).settings)[:2]
    ['dec-cell', 'dec-depth']
    """
    tensors, settings = {}, None
    for item in _items(path, memoryview(read_bytes(path))):
        if item.name == SETTINGS:
            settings = parse_settings(bytes(item.data[: item.count]), path)
        elif item.name in tensors:
            raise corrupt(path, f"{item.name} is there twice")
        else:
            tensors[item.name] = _tensor(path, item)
    if settings is None:
        raise corrupt(path, f"without {SETTINGS}")
    return MarianFile(tensors, settings)


def _items(path: Path, data: memoryview) -> Iterator[_Item]:
    def take(size):
        nonlocal data
        if size > len(data):
            raise corrupt(path, f"it ends {size - len(data):,} bytes early")
        part, data = data[:size], data[size:]
        return part

    version, count = _HEADER.unpack(take(_HEADER.size))
    if version != _VERSION:
        raise InputError(
            f"A `.bin` file of Marian must have version {_VERSION}. Received: {path} with "
            f"{version}. {AGAIN}."
        )
    headers = [*_ITEM.iter_unpack(take(count * _ITEM.size))]
    names = [_name(path, bytes(take(length))) for length, *_ in headers]
    shapes = []
    for name, (_, _, axes, _) in zip(names, headers):
        if axes > _MOST_AXES:
            raise corrupt(path, f"{name} has {axes:,} axes")
        shapes.append(struct.unpack(f"<{axes}i", take(axes * 4)))
    take(_OFFSET.unpack(take(_OFFSET.size))[0])
    for name, shape, (_, number, _, size) in zip(names, shapes, headers):
        if number not in _SIZES:
            raise InputError(
                "Weights must be float32, float16 or intgemm8. Received: "
                f"{path} where {name} has the type {number:#x}. Convert the model again, with "
                "--gemm-type float32 or intgemm8."
            )
        needs = math.prod(shape) * _SIZES[number]
        needs += _MULTIPLIER.itemsize * (_SIZES[number] == 1 and number != _INT8)
        if min(shape, default=1) < 1 or needs > size:
            raise corrupt(path, f"{name} has the shape {list(shape)} and {size:,} bytes")
        yield _Item(name, number, shape, take(size))
    if len(data):
        raise corrupt(path, f"{len(data):,} bytes follow its end")


def _name(path, encoded):
    name = encoded.removesuffix(b"\0").decode(errors="replace")
    if not name.isprintable():
        raise corrupt(path, f"{encoded[:40]!r} is no name")
    return name


def _tensor(path, item) -> Tensor:
    if item.type in (_FLOAT16, _FLOAT32):
        values = np.frombuffer(item.data, f"<f{_SIZES[item.type]}", item.count)
        return values.reshape(item.shape).astype(np.float32)
    values = np.frombuffer(item.data, np.int8, item.count)
    if item.type == _INT8:
        raise corrupt(path, f"{item.name} has 8 bits without a scale")
    (multiplier,) = np.frombuffer(item.data, _MULTIPLIER, 1, item.count)
    if not (np.isfinite(multiplier) and multiplier > 0):
        raise corrupt(path, f"{item.name} has the scale {multiplier}")
    if _is_transposed(item.name, item.shape):
        values = values.reshape(item.shape[::-1]).T
    return IntegerTensor(values.reshape(item.shape).copy(), np.float32(multiplier))


def _is_transposed(name, shape):
    """Whether integers are stored by columns, as those of all matrices but tables are."""
    return len(shape) == 2 and "Wemb" not in name


def write_bergamot(path: Path, tensors: Mapping[str, Tensor], settings: Mapping[str, Any]) -> None:
    """Writes a `.bin` file, which appears complete or not at all.

    Args:
        path: The file.
        tensors: Float32 arrays and matrices of integers, by Marian's names.
        settings: The options of the model.

    Raises:
        InputError: If it cannot be written.

    Example:

    >>> content = read_bergamot(Path("student.bin"))
    >>> write_bergamot(Path("copy.bin"), content.tensors, content.settings)
    """
    items = [_encoded(name, tensor) for name, tensor in tensors.items()]
    text = encode_settings(settings)
    items.append((SETTINGS, _INT8, (len(text),), text))
    names = [name.encode() + b"\0" for name, *_ in items]
    padded = [data + bytes(-len(data) % _ALIGNMENT) for *_, data in items]
    parts = [_HEADER.pack(_VERSION, len(items))]
    for name, (_, number, shape, _), data in zip(names, items, padded):
        parts.append(_ITEM.pack(len(name), number, len(shape), len(data)))
    parts += names
    parts += [struct.pack(f"<{len(shape)}i", *shape) for _, _, shape, _ in items]
    offset = -(sum(map(len, parts)) + _OFFSET.size) % _ALIGNMENT
    parts += [_OFFSET.pack(offset), bytes(offset), *padded]
    replace_file(path, b"".join(parts))


def _encoded(name: str, tensor: Tensor) -> tuple[str, int, tuple[int, ...], bytes]:
    if isinstance(tensor, IntegerTensor):
        values = tensor.values.T if _is_transposed(name, tensor.shape) else tensor.values
        data = values.tobytes() + np.array(tensor.multiplier, _MULTIPLIER).tobytes()
        return name, _INTGEMM8, tensor.shape, data
    return name, _FLOAT32, tensor.shape, tensor.astype("<f4").tobytes()
