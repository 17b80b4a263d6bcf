"""Training: losses, schedules, callbacks and the trainer."""

from tfcompress.training.bleu_callback import BleuCallback
from tfcompress.training.config import TrainingConfig
from tfcompress.training.losses import LabelSmoothedCrossentropy
from tfcompress.training.schedules import Cosine, InverseSquareRoot
from tfcompress.training.trainer import Validation, train

__all__ = [
    "BleuCallback",
    "Cosine",
    "InverseSquareRoot",
    "LabelSmoothedCrossentropy",
    "TrainingConfig",
    "Validation",
    "train",
]
