"""Reads and checks the bundle of a Keras model of the user's own."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfcompress.runtime.manifest import MODEL, Manifest, are_names

KIND = "keras"


@dataclass(frozen=True)
class TensorInfo:
    """An input or output.

    Attributes:
        shape: Its sizes, None where they may differ.
        dtype: Its numpy type, such as "int32".
    """

    shape: tuple[int | None, ...]
    dtype: str


@dataclass(frozen=True)
class SignatureInfo:
    """A function of the model.

    Attributes:
        inputs: Its inputs by name.
        outputs: Its outputs by name.
    """

    inputs: dict[str, TensorInfo]
    outputs: dict[str, TensorInfo]


@dataclass(frozen=True)
class KerasBundle:
    """An opened bundle of a Keras model.

    Attributes:
        path: The folder.
        manifest: The whole manifest.
        signatures: The model's functions by name.
        custom_ops: Names of the custom operations that the model needs.
        size: Bytes of all files together.
    """

    path: Path
    manifest: dict[str, Any]
    signatures: dict[str, SignatureInfo]
    custom_ops: tuple[str, ...]
    size: int

    @property
    def model(self) -> Path:
        """The LiteRT model."""
        return self.path / MODEL


def open_keras_bundle(path: str | os.PathLike, verify: bool = True) -> KerasBundle:
    """Opens the bundle of a Keras model and checks that it is complete.

    Args:
        path: The folder.
        verify: Whether to compare the size and SHA-256 of every file with the manifest. Without,
            only their presence is checked.

    Returns:
        The bundle.

    Raises:
        InputError: The folder or a file is missing, the manifest is of another format or model or
            incomplete, it names files outside the folder, or a file is truncated or altered.

    Example:

    >>> open_keras_bundle("sentiment").signatures["serving_default"].inputs["ids"].shape
    (None, None)
    """
    folder = Path(path)
    manifest = Manifest(folder, KIND)
    take = manifest.take
    manifest.check_files(verify)

    def tensors(signature, side):
        return {
            name: TensorInfo(
                tuple(take(*where, "shape", kind=list, check=_is_shape)),
                take(*where, "dtype", kind=str, check=_is_type),
            )
            for name in take("signatures", signature, side, kind=dict)
            if (where := ("signatures", signature, side, name))
        }

    return KerasBundle(
        path=folder,
        manifest=manifest.values,
        signatures={
            name: SignatureInfo(tensors(name, "inputs"), tensors(name, "outputs"))
            for name in take("signatures", kind=dict, check=bool)
        },
        custom_ops=tuple(take("custom_ops", kind=list, check=are_names)),
        size=manifest.total_size(),
    )


def _is_shape(value):
    return all(size is None or (type(size) is int and size >= 0) for size in value)


def _is_type(value):
    try:
        return np.dtype(value).kind in "fiub"
    except TypeError:
        return False
