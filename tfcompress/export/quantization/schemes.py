"""What weights may be stored as. Imports nothing heavy, as recipes are checked against it."""

from collections.abc import Mapping
from typing import Any

from tfcompress.errors import InputError
from tfcompress.expressions import compile_expression

WEIGHT_TYPES = ("float32", "float16", "int8", "int4", "int4_per_channel")
# How a bundle is quantized, and what it stores weights as that no scheme names.
WEIGHT_TYPE_OF = {
    "float32": "float32",
    "float16": "float16",
    "dynamic_int8": "int8",
    "int4": "int4",
    "int4_per_channel": "int4_per_channel",
    "mixed": "int8",
    "static_int8": "int8",
    "static_int8x16": "int8",
}
QUANTIZATIONS = tuple(WEIGHT_TYPE_OF)
# Bits of the activations that an encoder keeps as integers.
STATIC = {"static_int8": 8, "static_int8x16": 16}


def check_quantization(quantization: str, scheme: Mapping[str, str] | None) -> None:
    """Makes sure that there is such a quantization, and that it goes with the scheme.

    Args:
        quantization: One of `QUANTIZATIONS`.
        scheme: What weights are stored as (one of `WEIGHT_TYPES`), by regular expressions; or None.

    Raises:
        InputError: If not, naming the argument.
    """
    if quantization not in QUANTIZATIONS:
        raise InputError(
            f"`quantization` must be one of {', '.join(QUANTIZATIONS)} . Received: "
            f"{quantization!r}."
        )
    if scheme is None:
        if quantization == "mixed":
            raise InputError(
                "`quantization` mixed needs a `quantization_scheme`. Received: None. Give one."
            )
        return
    check_scheme(scheme)
    if quantization != "mixed" and quantization not in STATIC:
        raise InputError(
            "`quantization_scheme` is for `quantization` mixed and static ones only. Received: "
            f"quantization={quantization!r}. Give mixed."
        )


def check_representative(quantization: str, representative: Any) -> None:
    """Makes sure that there is representative data where a quantization needs it, and only there.

    Args:
        quantization: One of `QUANTIZATIONS`.
        representative: The data, or None.

    Raises:
        InputError: If not.
    """
    if quantization in STATIC and representative is None:
        raise InputError(
            f"`quantization` {quantization} needs `representative_data`. Received: None. Give some "
            "hundred representative sentences."
        )
    if quantization not in STATIC and representative is not None:
        raise InputError(
            f"`representative_data` is for {' and '.join(STATIC)} only. Received: "
            f"quantization={quantization!r}. Leave it out."
        )


def check_scheme(scheme: Mapping[str, str]) -> None:
    """Makes sure that a scheme maps regular expressions to types of weights.

    Args:
        scheme: The scheme.

    Raises:
        InputError: If it does not.
    """
    if not isinstance(scheme, Mapping) or not scheme:
        raise InputError(
            "`quantization_scheme` must map regular expressions to types of weights. Received: "
            f"{scheme!r}."
        )
    for expression, weight_type in scheme.items():
        compile_expression("quantization_scheme", expression)
        if weight_type not in WEIGHT_TYPES:
            raise InputError(
                "`quantization_scheme` must store weights as one of "
                f"{', '.join(WEIGHT_TYPES)}. Received: {weight_type!r} for {expression!r}."
            )
