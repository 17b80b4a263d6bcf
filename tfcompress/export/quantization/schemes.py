"""What weights may be stored as. Imports nothing heavy, as recipes are checked against it."""

from collections.abc import Mapping
from typing import Any

from tfcompress.errors import InputError
from tfcompress.expressions import compile_expression

KINDS = ("float32", "float16", "int8", "int4", "int4_per_channel")
# How a bundle is quantized, and what it stores weights as that no plan names.
KIND_OF = {
    "float32": "float32",
    "float16": "float16",
    "dynamic_int8": "int8",
    "int4": "int4",
    "int4_per_channel": "int4_per_channel",
    "mixed": "int8",
    "static_int8": "int8",
    "static_int8x16": "int8",
}
QUANTIZATIONS = tuple(KIND_OF)
# Bits of the activations that an encoder keeps as integers.
STATIC = {"static_int8": 8, "static_int8x16": 16}


def check_quantization(quantization: str, plan: Mapping[str, str] | None) -> None:
    """Makes sure that there is such a quantization, and that it goes with the plan.

    Args:
        quantization: One of `QUANTIZATIONS`.
        plan: What weights are stored as (one of `KINDS`), by regular expressions; or None.

    Raises:
        InputError: If not, naming the argument.
    """
    if quantization not in QUANTIZATIONS:
        raise InputError(
            f"`quantization` must be one of {', '.join(QUANTIZATIONS)} (received {quantization!r})"
        )
    if plan is None:
        if quantization == "mixed":
            raise InputError("`quantization` mixed needs a `plan` (received none)")
        return
    check_plan(plan)
    if quantization != "mixed" and quantization not in STATIC:
        raise InputError(f"`plan` does not go with `quantization` {quantization}; use mixed")


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
            f"`quantization` {quantization} needs representative data; give some hundred typical "
            "sentences"
        )
    if quantization not in STATIC and representative is not None:
        raise InputError(
            f"representative data is for {' and '.join(STATIC)} (received `quantization` "
            f"{quantization}); leave it out"
        )


def check_plan(plan: Mapping[str, str]) -> None:
    """Makes sure that a plan maps regular expressions to kinds.

    Args:
        plan: The plan.

    Raises:
        InputError: If it does not.
    """
    if not isinstance(plan, Mapping) or not plan:
        raise InputError(
            f"`plan` must map regular expressions to kinds of weights (received {plan!r})"
        )
    for expression, kind in plan.items():
        compile_expression("plan", expression)
        if kind not in KINDS:
            raise InputError(
                f"`plan` may store weights as {', '.join(KINDS)} (received {kind!r} for "
                f"{expression!r})"
            )
