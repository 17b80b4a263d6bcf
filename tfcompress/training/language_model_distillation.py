"""Distillation of language models: a student learns the probabilities of a teacher."""

from collections.abc import Sequence

import tensorflow as tf
from tensorflow import keras

from tfcompress.models import LanguageModel
from tfcompress.training.hidden_states import (
    HiddenStates,
    check_vocabularies,
    check_weights,
    divergence,
)
from tfcompress.training.losses import LabelSmoothedCrossentropy, masked_mean

_VOCABULARY = ("vocabulary_size", "pad_id", "bos_id", "eos_id")


class LanguageModelDistillation:
    """What a student minimizes: as `Distillation`, over the tokens of a text.

    Args:
        student: The model in training.
        teacher: A trained model of the same vocabulary.
        loss: The cross-entropy with the texts.
        weight: Weight of the teacher's probabilities, in [0, 1].
        temperature: What logits are divided by before they are compared.
        hidden_weight: Weight of the hidden states; 0 for none.
        decoder_layers: For each layer of the student, the number of the teacher's layer whose
            output it shall match, from 1, or 0 for the embedding; None spreads them evenly.

    Attributes:
        helpers: The projections between hidden states of different widths.

    Raises:
        InputError: If the vocabularies differ, or a weight, temperature or layer is impossible.

    Reference: Hinton et al., 2015, arXiv:1503.02531.
    """

    def __init__(
        self,
        student: LanguageModel,
        teacher: LanguageModel,
        loss: LabelSmoothedCrossentropy,
        *,
        weight: float = 0.5,
        temperature: float = 1.0,
        hidden_weight: float = 0.0,
        decoder_layers: Sequence[int] | None = None,
    ):
        check_vocabularies(student, teacher, _VOCABULARY)
        check_weights(weight, temperature, hidden_weight)
        self._student, self._teacher, self._loss = student, teacher, loss
        self._weight, self._temperature = weight, temperature
        self._hidden_weight = hidden_weight
        self.helpers: list[keras.layers.Layer] = []
        self._states = None
        if hidden_weight:
            self._states = HiddenStates("decoder", student, teacher, decoder_layers)
            self.helpers += self._states.helpers

    def __call__(self, token_ids: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """Returns the objective on a batch.

        Args:
            token_ids: Integer `[batch, length]`, beginning with `bos_id`.
            labels: The next tokens, `[batch, length]`.
        """
        mask = labels != self._student.config.pad_id
        teacher = self._teacher.forward(token_ids, training=False)
        student = self._student.forward(token_ids, training=True)
        total = (1.0 - self._weight) * self._loss.mean(labels, student.logits)
        if self._weight:
            rows = divergence(student.logits, teacher.logits, self._temperature)
            total += self._weight * masked_mean(rows, mask)
        if self._states is not None:
            states = (student.decoder_states, teacher.decoder_states)
            total += self._hidden_weight * self._states.distance(*states, mask)
        return total
