"""Keras callbacks."""

from tfcompress.training.bleu_callback import BleuCallback

__all__ = ["BleuCallback"]
