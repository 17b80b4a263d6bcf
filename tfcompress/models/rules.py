"""What rules for settings have in common."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, TypeVar, cast

ACTIVATIONS = (
    "relu",
    "relu6",
    "gelu",
    "gelu_tanh",
    "silu",
    "swish",
    "tanh",
    "sigmoid",
    "hard_sigmoid",
    "elu",
    "selu",
    "leaky_relu",
    "mish",
    "softplus",
    "softsign",
    "linear",
)

T = TypeVar("T")


def range_problems(
    positive: Mapping[str, object], rates: Mapping[str, float] | None = None
) -> Iterator[str]:
    """Yields one line for each number that is out of range.

    Args:
        positive: Sizes by name: whole numbers, several of them, or None.
        rates: Dropout rates by name.
    """
    for name, value in positive.items():
        if any(v is not None and v < 1 for v in listed(value)):
            yield f"`{name}` must be at least 1 (received {value})"
    for name, value in (rates or {}).items():
        if not 0 <= value < 1:
            yield f"`{name}` must lie in [0, 1) (received {value})"


def option_problems(name: str, value: object, options: Collection[str]) -> Iterator[str]:
    """Yields a line unless a value is one of the options."""
    if value not in options:
        yield f"`{name}` must be one of {', '.join(options)} (received {value!r})"


def divisor_problems(where: str, name: str, width: int, num_heads: object) -> Iterator[str]:
    """Yields a line unless a width can be divided among heads.

    Args:
        where: The settings with `num_heads`.
        name: What the width is called.
        width: The width.
        num_heads: One number, or several.
    """
    for heads in listed(num_heads):
        if heads >= 1 and width % heads:
            yield (
                f"{name} must be divisible by `{where}.num_heads` unless `head_dim` is given "
                f"(received {width} and {heads})"
            )
            break


def listed(value: Any) -> Collection:
    """Returns what is one value, or several, as several."""
    return value if isinstance(value, tuple | list) else [value]


def at_layer(value: T | tuple[T, ...], layer_index: int) -> T:
    """Returns the value of one layer from what is one value, or one for each layer.

    Args:
        value: One value or a tuple.
        layer_index: Which layer, from 0.
    """
    return cast(T, value[layer_index] if isinstance(value, tuple) else value)
