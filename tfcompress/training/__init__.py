"""Training: losses, schedules, callbacks and the trainer.

Modules load when they are first used: the configuration needs no TensorFlow.
"""

import importlib

from tfcompress.training.config import (
    ClusteringConfig,
    DistillationConfig,
    GuidedAlignmentConfig,
    PruningConfig,
    QuantizeAwareConfig,
    ReplacingConfig,
    TrainingConfig,
)

_MODULES = {
    "BleuCallback": "bleu_callback",
    "Cosine": "schedules",
    "Distillation": "distillation",
    "GuidedAlignment": "guided_alignment",
    "InverseSquareRoot": "schedules",
    "KerasDistillation": "keras_distillation",
    "LabelSmoothedCrossentropy": "losses",
    "LanguageModelDistillation": "language_model_distillation",
    "TextDistillation": "text_distillation",
    "Validation": "translation",
    "WorkerLostError": "cluster",
    "distill_corpus": "sequence_distillation",
    "join_cluster": "cluster",
    "pair_crossentropies": "pair_scoring",
    "train": "translation",
    "train_classifier": "classification",
    "train_language_model": "language_modeling",
}

__all__ = [
    "BleuCallback",
    "ClusteringConfig",
    "Cosine",
    "Distillation",
    "DistillationConfig",
    "GuidedAlignment",
    "GuidedAlignmentConfig",
    "InverseSquareRoot",
    "KerasDistillation",
    "LabelSmoothedCrossentropy",
    "LanguageModelDistillation",
    "PruningConfig",
    "QuantizeAwareConfig",
    "ReplacingConfig",
    "TextDistillation",
    "TrainingConfig",
    "Validation",
    "WorkerLostError",
    "distill_corpus",
    "join_cluster",
    "pair_crossentropies",
    "train",
    "train_classifier",
    "train_language_model",
]


def __getattr__(name: str):
    if name in _MODULES:
        return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
