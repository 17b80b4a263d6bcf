"""What a published configuration tells of a classifier's outputs."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfcompress.errors import InputError, InputWarning
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


_TEXT, _TOKENS = "SequenceClassification", "TokenClassification"


def classifies_tokens(settings: Mapping[str, Any]) -> bool:
    """Returns whether a published configuration is that of a classifier of tokens.

    Args:
        settings: The configuration.
    """
    return any(_TOKENS in name for name in _architectures(settings))


def has_classifier(path: Path, settings: Mapping[str, Any]) -> bool:
    """Returns whether a published `classifier` is one of texts or tokens, warning where it is not.

    Args:
        path: The configuration's file, for the warning.
        settings: The configuration. Without `architectures`, it classifies texts.
    """
    names = _architectures(settings)
    if not names or any(task in name for name in names for task in (_TEXT, _TOKENS)):
        return True
    warnings.warn(
        f"{path}: the head of {', '.join(names)} is left out, as it classifies neither texts nor "
        "tokens; the model is the encoder alone",
        InputWarning,
        stacklevel=2,
    )
    return False


def published_task(path: Path, settings: Mapping[str, Any], outputs: int) -> str:
    """Returns the task of a published classifier.

    Args:
        path: The configuration's file, for messages.
        settings: The configuration. Without a `problem_type`, one output is a score, as of a
            cross-encoder, and several are classes of which one is right.
        outputs: The number of outputs.

    Raises:
        InputError: If its `problem_type` is another one, or there is one class only.
    """
    problem = settings.get("problem_type")
    if problem is not None and problem not in _PROBLEMS:
        raise InputError(
            f"`problem_type` must be one of {', '.join(_PROBLEMS)}. Received: "
            f"problem_type={problem!r} in {path}."
        )
    usual = REGRESSION if outputs == 1 else CLASSIFICATION
    task = usual if problem is None else _PROBLEMS[problem]
    if classifies_tokens(settings):
        task = TOKEN_CLASSIFICATION
    if outputs == 1 and task in (CLASSIFICATION, TOKEN_CLASSIFICATION):
        raise InputError(
            f"A {task} of one class gives it to everything. Received: {path}. Set problem_type to "
            "regression or multi_label_classification, or give another model."
        )
    return task


def published_labels(settings: Mapping[str, Any], outputs: int) -> tuple[str, ...]:
    """Returns the names that a published configuration has for all outputs, or none.

    Args:
        settings: The configuration.
        outputs: The number of outputs.
    """
    labels = settings.get("id2label")
    if not isinstance(labels, Mapping):
        return ()
    names = [labels.get(str(number)) for number in range(outputs)]
    named = all(isinstance(name, str | int | float) for name in names)
    return tuple(map(str, names)) if named and len({*map(str, names)}) == outputs else ()


def _architectures(settings):
    names = settings.get("architectures") or []
    return [str(name) for name in (names if isinstance(names, list) else [names])]
