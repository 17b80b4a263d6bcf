"""Word-level distillation: a student learns the probabilities of a teacher."""

from collections.abc import Mapping, Sequence

import tensorflow as tf
from tensorflow import keras

from tfcompress.models import Seq2SeqTransformer
from tfcompress.training.hidden_states import (
    HiddenStates,
    check_vocabularies,
    check_weights,
    divergence,
)
from tfcompress.training.losses import LabelSmoothedCrossentropy, masked_mean

# What student and teacher must have in common.
VOCABULARY = (
    "source_vocabulary_size",
    "target_vocabulary_size",
    "pad_id",
    "bos_id",
    "eos_id",
    "target_prefix",
)


class Distillation:
    """What a student minimizes: cross-entropy, distance to a teacher's words and hidden states.

    The objective is `(1 - weight) * crossentropy + weight * temperature**2 * KL(teacher || student)
    + hidden_weight * mean squared difference of mapped hidden states`, each averaged over the
    positions that are no padding. Where student and teacher differ in width, the student's states
    go through a projection, trained beside it and thrown away afterwards. The teacher computes
    without dropout and gets no gradients.

    Keras' own Distiller does not fit here: it hands its losses no labels and no masks, so that
    padding would count, and tf_keras has none.

    Args:
        student: The model in training.
        teacher: A trained model of the same vocabularies.
        loss: The cross-entropy with the references.
        weight: Weight of the teacher's words, in [0, 1].
        temperature: What logits are divided by before they are compared.
        hidden_weight: Weight of the hidden states; 0 for none.
        encoder_layers: For each encoder layer of the student, the number of the teacher's layers
            whose output it shall match, from 1, or 0 for the embedding; None spreads them evenly.
        decoder_layers: The same for the decoder.

    Attributes:
        helpers: The projections.

    Raises:
        InputError: If the vocabularies differ, or a weight, temperature or layer is impossible.

    Example:

    >>> from tfcompress.training.accumulation import AccumulatingModel
    >>> loss = tfc.training.LabelSmoothedCrossentropy(0.1)
    >>> objective = tfc.training.Distillation(student, teacher, loss)
    >>> model = AccumulatingModel(student.model, objective)

    Reference: Hinton et al., 2015, arXiv:1503.02531; Kim and Rush, 2016, arXiv:1606.07947; hidden
    states as in Jiao et al., 2020, arXiv:1909.10351.
    """

    def __init__(
        self,
        student: Seq2SeqTransformer,
        teacher: Seq2SeqTransformer,
        loss: LabelSmoothedCrossentropy,
        *,
        weight: float = 0.5,
        temperature: float = 1.0,
        hidden_weight: float = 0.0,
        encoder_layers: Sequence[int] | None = None,
        decoder_layers: Sequence[int] | None = None,
    ):
        check_vocabularies(student, teacher, VOCABULARY)
        check_weights(weight, temperature, hidden_weight)
        self._student, self._teacher, self._loss = student, teacher, loss
        self._weight, self._temperature = weight, temperature
        self._hidden_weight = hidden_weight
        self.helpers: list[keras.layers.Layer] = []
        self._states = {}
        if hidden_weight:
            for side, layers in (("encoder", encoder_layers), ("decoder", decoder_layers)):
                self._states[side] = HiddenStates(side, student, teacher, layers)
                self.helpers += self._states[side].helpers

    def __call__(self, inputs: Mapping[str, tf.Tensor], labels: tf.Tensor) -> tf.Tensor:
        """Returns the objective on a batch.

        Args:
            inputs: `source_token_ids` and `target_token_ids`.
            labels: Integer `[batch, target_length]`.
        """
        source, target = inputs["source_token_ids"], inputs["target_token_ids"]
        pad_id = self._student.config.pad_id
        teacher = self._teacher.forward(source, target, training=False)
        student = self._student.forward(source, target, training=True)
        total = (1.0 - self._weight) * self._loss.mean(labels, student.logits)
        if self._weight:
            words = divergence(student.logits, teacher.logits, self._temperature)
            total += self._weight * masked_mean(words, labels != pad_id)
        for side, mask in (("encoder", source != pad_id), ("decoder", labels != pad_id)):
            if side in self._states:
                states = (getattr(run, f"{side}_states") for run in (student, teacher))
                total += self._hidden_weight * self._states[side].distance(*states, mask)
        return total
