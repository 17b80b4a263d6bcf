"""What a file of Marian's holds, whatever its format."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from tfcompress.errors import InputError
from tfcompress.files import read_regular
from tfcompress.yaml_file import parse_yaml

SETTINGS = "special:model.yml"
# What the names of an activation's factor to integers end with.
ALPHA = "_QuantMultA"
# No model of Marian's is larger.
_MOST_BYTES = 2**34
AGAIN = "Download or copy the file again"


@dataclass(frozen=True, eq=False)
class IntegerTensor:
    """A matrix of 8 bits with one scale, as intgemm has it: `values / multiplier`.

    Attributes:
        values: Int8, in the orientation of a float32 file.
        multiplier: What the weights were multiplied by.
    """

    values: np.ndarray
    multiplier: np.float32

    @classmethod
    def quantize(cls, weights: np.ndarray) -> "IntegerTensor":
        """Returns the integers of weights, of which the largest becomes 127.

        Args:
            weights: Float32.
        """
        multiplier = np.float32(127) / (np.abs(weights).max(initial=0) or np.float32(127))
        values = np.clip(np.rint(weights * multiplier), -127, 127).astype(np.int8)
        return cls(values, np.float32(multiplier))

    @property
    def shape(self) -> tuple[int, ...]:
        """The matrix' shape."""
        return self.values.shape

    def dequantize(self) -> np.ndarray:
        """Returns the float32 weights."""
        return self.values * (np.float32(1) / self.multiplier)


Tensor = np.ndarray | IntegerTensor


def dequantized(tensor: Tensor) -> np.ndarray:
    """Returns the float32 values of a tensor."""
    return tensor if isinstance(tensor, np.ndarray) else tensor.dequantize()


@dataclass(frozen=True, eq=False)
class MarianFile:
    """The tensors and the settings of a model.

    Attributes:
        tensors: Float32 arrays and matrices of integers, by Marian's names.
        settings: The options that the model was made with.
    """

    tensors: Mapping[str, Tensor]
    settings: Mapping[str, Any]


def corrupt(path: Path, problem: object) -> InputError:
    """Returns the error for a file that is not as it was written."""
    return InputError(f"The model's file is corrupt ({problem}). Received: {path}. {AGAIN}.")


def read_bytes(path: Path) -> bytes:
    """Returns the content of a file.

    Raises:
        InputError: If there is none that can be read.
    """
    try:
        return read_regular(path, most_bytes=_MOST_BYTES)
    except (OSError, ValueError) as error:  # ValueError: a name that holds NUL
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"The file cannot be read ({reason}). Received: {path}. Give the file of a model."
        ) from None


def encode_settings(settings: Mapping[str, Any]) -> bytes:
    """Returns the options of a model as `parse_settings` takes them.

    Args:
        settings: The options.
    """
    return yaml.safe_dump(dict(settings), sort_keys=True).encode() + b"\0"


def parse_settings(text: bytes, path: Path) -> dict[str, Any]:
    """Returns the options that a file holds as YAML that ends with NUL.

    Raises:
        InputError: If they are none.
    """
    try:
        settings = parse_yaml(text.rstrip(b"\0").decode(), f"{SETTINGS} in {path}")
    except UnicodeDecodeError as error:
        raise corrupt(path, f"{SETTINGS}: {error}") from None
    if not isinstance(settings, dict):
        raise corrupt(path, f"{SETTINGS} holds no names and values")
    return settings
