"""What the trainer needs to know about a model."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import tensorflow as tf
from tensorflow import keras

from tfcompress.models import LanguageModelConfig, Seq2SeqConfig, TextEncoderConfig
from tfcompress.training.compression import Model, Uncompressed
from tfcompress.training.config import TrainingConfig


class Task(Protocol):
    """A model, its examples, its loss and its score.

    Attributes:
        model_config: The model to train.
        pad_label: Label of what does not count; one that does not occur, where all count.
    """

    @property
    def model_config(self) -> Seq2SeqConfig | TextEncoderConfig | LanguageModelConfig: ...

    @property
    def pad_label(self) -> int: ...

    def new_model(self, start: Model | None = None) -> Model:
        """Returns a new model, with the weights of another wherever names and shapes are the same.

        Args:
            start: The other model.
        """
        ...

    def loss(self, config: TrainingConfig) -> keras.losses.Loss | None:
        """Returns the loss of what Keras can fit by itself, or None where `objective` is needed.

        Args:
            config: How to train.
        """
        ...

    def objective(
        self, model: keras.Model, config: TrainingConfig
    ) -> Callable[[dict[str, tf.Tensor], tf.Tensor], tf.Tensor]:
        """Returns what ordinary training minimizes, as a function of inputs and labels.

        Args:
            model: What is trained.
            config: How to train.
        """
        ...

    def distillation(self, student: Model, teacher: Model, config: TrainingConfig) -> Any:
        """Returns what a student minimizes: a function as `objective` gives, with `helpers`.

        Args:
            student: The model in training.
            teacher: What it learns from.
            config: How to train.
        """
        ...

    def metrics(self, config: TrainingConfig) -> Sequence[str]:
        """Returns the metrics of an evaluation that models may be chosen by, the best first.

        Args:
            config: How to train.
        """
        ...

    def batches(self, config: TrainingConfig, done: int) -> tf.data.Dataset:
        """Returns the endless batches of training.

        Args:
            config: How to train.
            done: Updates made before.
        """
        ...

    def evaluations(
        self, compressed: Uncompressed, config: TrainingConfig
    ) -> Sequence[keras.callbacks.Callback]:
        """Returns callbacks that add `val_loss` and then the score to the logs.

        Args:
            compressed: What is trained.
            config: How to train.
        """
        ...
