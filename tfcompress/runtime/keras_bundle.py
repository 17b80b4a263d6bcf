"""The bundle of a Keras model of the user's own."""

from dataclasses import dataclass

import numpy as np

from tfcompress.runtime.bundle import Bundle


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


@dataclass(frozen=True, kw_only=True)
class KerasBundle(Bundle):
    """An opened bundle of a Keras model.

    Attributes:
        signatures: The model's functions by name.

    The others are those of `Bundle`.
    """

    signatures: dict[str, SignatureInfo]

    model_type = "keras"

    @classmethod
    def _read(cls, manifest):
        take = manifest.take

        def tensors(signature, side):
            return {
                name: TensorInfo(
                    tuple(take(*where, "shape", value_type=list, check=_is_shape)),
                    take(*where, "dtype", value_type=str, check=_is_type),
                )
                for name in take("signatures", signature, side, value_type=dict)
                if (where := ("signatures", signature, side, name))
            }

        return {
            "signatures": {
                name: SignatureInfo(tensors(name, "inputs"), tensors(name, "outputs"))
                for name in take("signatures", value_type=dict, check=bool)
            }
        }


def _is_shape(value):
    return all(size is None or (type(size) is int and size >= 0) for size in value)


def _is_type(value):
    try:
        return np.dtype(value).kind in "fiub"
    except TypeError:
        return False
