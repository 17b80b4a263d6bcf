"""What a published configuration says of a classifier's outputs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfcompress.errors import InputError
from tfcompress.models.head_config import (
    CLASSIFICATION,
    MULTI_LABEL,
    REGRESSION,
    TOKEN_CLASSIFICATION,
)

_PROBLEMS = {
    "single_label_classification": CLASSIFICATION,
    "multi_label_classification": MULTI_LABEL,
    "regression": REGRESSION,
}


def published_kind(path: Path, settings: Mapping[str, Any], outputs: int) -> str:
    """Returns the kind of head that a published classifier is.

    Args:
        path: The configuration's file, for messages.
        settings: The configuration. Without a `problem_type`, one output is a score, as of a
            cross-encoder, and several are classes of which one is right.
        outputs: The number of outputs.

    Raises:
        InputError: If its `problem_type` is another one, or there is one class only.
    """
    tokens = any("TokenClassification" in name for name in settings.get("architectures") or ())
    problem = settings.get("problem_type")
    if problem is not None and problem not in _PROBLEMS:
        raise InputError(
            f"{path}: problem_type {problem!r} is not supported; it must be one of "
            f"{', '.join(_PROBLEMS)}"
        )
    usual = REGRESSION if outputs == 1 else CLASSIFICATION
    kind = usual if problem is None else _PROBLEMS[problem]
    if tokens:
        kind = TOKEN_CLASSIFICATION
    if outputs == 1 and kind in (CLASSIFICATION, TOKEN_CLASSIFICATION):
        raise InputError(
            f"{path}: a {kind} of one class gives it to everything; set problem_type to regression "
            "or multi_label_classification, or give another model"
        )
    return kind


def published_labels(settings: Mapping[str, Any], outputs: int) -> tuple[str, ...]:
    """Returns the names that a published configuration has for all outputs, or none.

    Args:
        settings: The configuration.
        outputs: The number of outputs.
    """
    given = settings.get("id2label")
    if not isinstance(given, Mapping):
        return ()
    names = [given.get(str(number)) for number in range(outputs)]
    named = all(isinstance(name, str | int | float) for name in names)
    return tuple(map(str, names)) if named and len({*map(str, names)}) == outputs else ()
