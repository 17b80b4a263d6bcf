"""Keras callbacks."""

from tfcompress.training.bleu_callback import BleuCallback
from tfcompress.training.head_pruner import HeadPruner
from tfcompress.training.layer_drop_schedule import LayerDropSchedule
from tfcompress.training.theseus_replacer import TheseusReplacer

__all__ = ["BleuCallback", "HeadPruner", "LayerDropSchedule", "TheseusReplacer"]
