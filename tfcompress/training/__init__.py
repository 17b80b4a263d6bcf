"""Training: losses, schedules, callbacks and the trainer.

Modules load when they are first used: the configuration needs no TensorFlow.
"""

import importlib

from tfcompress.training.config import TrainingConfig

_MODULES = {
    "BleuCallback": "bleu_callback",
    "Cosine": "schedules",
    "InverseSquareRoot": "schedules",
    "LabelSmoothedCrossentropy": "losses",
    "Validation": "trainer",
    "train": "trainer",
}

__all__ = [
    "BleuCallback",
    "Cosine",
    "InverseSquareRoot",
    "LabelSmoothedCrossentropy",
    "TrainingConfig",
    "Validation",
    "train",
]


def __getattr__(name: str):
    if name in _MODULES:
        return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
