"""Distillation of text encoders: a student learns the class probabilities of a teacher."""

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf
from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.models import TextEncoder
from tfcompress.models.classes import match_classes
from tfcompress.training.head_objectives import HEAD_OBJECTIVES
from tfcompress.training.hidden_states import (
    HiddenStates,
    check_vocabularies,
    check_weights,
)


class TextDistillation:
    """What a student minimizes: cross-entropy, distance to a teacher's classes and hidden states.

    The objective is `(1 - weight) * crossentropy + weight * temperature**2 * KL(teacher || student)
    + hidden_weight * mean squared difference of mapped hidden states`. Texts count alike, and so do
    the positions of hidden states that are no padding. The divergence of multi-label heads is the
    mean over classes; regressions have squared differences instead.

    Args:
        student: The model in training, with a head for classification, multi-label classification
            or regression.
        teacher: A trained model of the same tokens, with a head for the same task that has the
            student's classes, in any order; they are found by their names, others left out. With
            `weight` 0 it may have any head, or none.
        loss: The loss with the labels.
        weight: Weight of the teacher's probabilities, in [0, 1].
        temperature: What logits are divided by before they are compared.
        hidden_weight: Weight of the hidden states; 0 for none.
        encoder_layers: For each layer of the student, the number of the teacher's layer whose
            output it shall match, from 1, or 0 for the embedding; None spreads them evenly.

    Attributes:
        helpers: What is trained beside the student and thrown away afterwards.
        message: What is to be said of the teacher's classes, or None where they are the student's.

    Raises:
        InputError: If vocabularies or classes differ, or a weight, temperature or layer is
            impossible.

    Example:

    >>> from tfcompress.training.accumulation import AccumulatingModel
    >>> loss = tfc.training.LabelSmoothedCrossentropy(0.0)
    >>> objective = tfc.training.TextDistillation(student, teacher, loss)
    >>> model = AccumulatingModel(student.model, objective, pad_id=-1)

    Reference: Hinton et al., 2015, arXiv:1503.02531; Jiao et al., 2020, arXiv:1909.10351.
    """

    def __init__(
        self,
        student: TextEncoder,
        teacher: TextEncoder,
        loss: keras.losses.Loss,
        *,
        weight: float = 0.5,
        temperature: float = 1.0,
        hidden_weight: float = 0.0,
        encoder_layers: Sequence[int] | None = None,
    ):
        self._order, self.message = _checked_classes(student, teacher, weight)
        head: Any = student.config.head
        self._divergence = HEAD_OBJECTIVES[head.task].divergence
        check_weights(weight, temperature, hidden_weight)
        self._student, self._teacher, self._loss = student, teacher, loss
        self._weight, self._temperature = weight, temperature
        self._hidden_weight = hidden_weight
        self.helpers: list[keras.layers.Layer] = []
        if hidden_weight:
            self._states = HiddenStates("encoder", student, teacher, encoder_layers)
            self.helpers = self._states.helpers

    def __call__(self, inputs: Mapping[str, tf.Tensor], labels: tf.Tensor) -> tf.Tensor:
        """Returns the objective on a batch.

        Args:
            inputs: `token_ids` and, with token types, `token_type_ids`.
            labels: Integer `[batch]`.
        """
        teacher_run = self._teacher.forward(**inputs, training=False)
        student_run = self._student.forward(**inputs, training=True)
        logits = student_run.outputs["logits"]
        total = (1.0 - self._weight) * tf.reduce_mean(self._loss.call(labels, logits))
        if self._weight:
            taught = tf.gather(teacher_run.outputs["logits"], self._order, axis=-1)
            classes = self._divergence(logits, taught, self._temperature)
            total += self._weight * tf.reduce_mean(classes)
        if self._hidden_weight:
            mask = inputs["token_ids"] != self._student.config.pad_id
            total += self._hidden_weight * self._states.distance(
                student_run.encoder_states, teacher_run.encoder_states, mask
            )
        return total


def _checked_classes(student, teacher, weight):
    check_vocabularies(student, teacher, ("vocabulary_size", "pad_id"))
    student_config, teacher_config = student.config, teacher.config
    if teacher_config.token_types and teacher_config.token_types < student_config.token_types:
        raise InputError(
            "The teacher must have the student's token types. Received: token_types "
            f"{teacher_config.token_types} and {student_config.token_types}. Give the "
            "student as many."
        )
    if student_config.head is None or student_config.head.task not in HEAD_OBJECTIVES:
        raise InputError(
            f"The student needs a head for {', '.join(HEAD_OBJECTIVES)}. Received: "
            f"{'none' if student_config.head is None else student_config.head.task}."
        )
    if not weight:
        return None, None  # The teacher's classes teach nothing.
    match = match_classes(teacher_config.head, student_config.head)
    if match.order is None:
        raise InputError(
            "Student and teacher must have heads for the same classes. Received: a teacher that "
            f"has {match.message}. Give one that has the student's classes."
        )
    return match
