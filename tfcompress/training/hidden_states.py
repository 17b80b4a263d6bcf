"""Hidden states of a student compared with those of a teacher."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.layers import Dense
from tfcompress.training.compression import Model
from tfcompress.training.losses import masked_mean


class HiddenStates:
    """The distance between the layers of a student and mapped layers of its teacher.

    Where the two differ in width, the student's states go through a projection, which is trained
    beside it and thrown away afterwards.

    Args:
        side: "encoder" or "decoder".
        student: The model in training.
        teacher: What it learns from.
        layers: For each layer of the student, the number of the teacher's layer whose output it
            shall match, from 1, or 0 for the embedding; None spreads them evenly.

    Attributes:
        helpers: The projection, where there is one.

    Raises:
        InputError: If a layer is impossible.

    Reference: Jiao et al., 2020, arXiv:1909.10351.
    """

    def __init__(self, side: str, student: Model, teacher: Model, layers: Sequence[int] | None):
        self._map = _layer_map(side, student, teacher, layers)
        self.helpers: list[keras.layers.Layer] = []
        student_dim, teacher_dim = student.config.hidden_dim, teacher.config.hidden_dim
        if student_dim != teacher_dim:
            projection = Dense(teacher_dim, name=f"{side}_distillation")
            projection.build((None, None, student_dim))
            self.helpers.append(projection)

    def distance(
        self,
        student_states: Sequence[tf.Tensor],
        teacher_states: Sequence[tf.Tensor],
        mask: tf.Tensor,
    ) -> tf.Tensor:
        """Returns the mean squared difference.

        Args:
            student_states: The student's states, those of the embedding first.
            teacher_states: The teacher's.
            mask: Boolean `[batch, length]`, which positions count.
        """
        total = 0.0
        for own, other in enumerate(self._map):
            state = student_states[own + 1]
            for projection in self.helpers:
                state = projection(state)
            difference = tf.cast(state, tf.float32) - tf.stop_gradient(
                tf.cast(teacher_states[other], tf.float32)
            )
            total += masked_mean(tf.reduce_mean(tf.square(difference), axis=-1), mask)
        return total / len(self._map)


def divergence(
    student_logits: tf.Tensor, teacher_logits: tf.Tensor, temperature: float
) -> tf.Tensor:
    """Returns `temperature**2 * KL(teacher_logits || student_logits)` of each row of logits.

    Args:
        student_logits: The student's logits `[..., classes]`.
        teacher_logits: The teacher's.
        temperature: What logits are divided by.

    Reference: Hinton et al., 2015, arXiv:1503.02531.
    """
    student_logits = tf.nn.log_softmax(tf.cast(student_logits, tf.float32) / temperature)
    teacher_logits = tf.nn.log_softmax(
        tf.stop_gradient(tf.cast(teacher_logits, tf.float32)) / temperature
    )
    return temperature**2 * tf.reduce_sum(
        tf.exp(teacher_logits) * (teacher_logits - student_logits), axis=-1
    )


def check_vocabularies(student: Model, teacher: Model, names: Sequence[str]) -> None:
    """Makes sure that two models have one vocabulary.

    Args:
        student: The model in training.
        teacher: What it learns from.
        names: What must be equal in their configurations.

    Raises:
        InputError: If something differs, or one is a Keras model of a user's own.
    """
    models: dict[str, Any] = {"student": student, "teacher": teacher}
    for name, model in models.items():
        if isinstance(model, keras.Model):
            raise InputError(
                f"The {name} must be a Seq2SeqTransformer or a TextEncoder. Received: the Keras "
                f"model {model.name}. Distil Keras models with tfcompress.training."
                "KerasDistillation."
            )
    for name in names:
        student_value, teacher_value = getattr(student.config, name), getattr(teacher.config, name)
        if student_value != teacher_value:
            raise InputError(
                f"Student and teacher must have one vocabulary. Received: {name} "
                f"{student_value} and {teacher_value}. Train the student with the teacher's "
                "tokenizer."
            )


def check_weights(weight: float, temperature: float, hidden_weight: float) -> None:
    """Makes sure that the weights of an objective are possible.

    Args:
        weight: Weight of the teacher's probabilities.
        temperature: What logits are divided by.
        hidden_weight: Weight of the hidden states.

    Raises:
        InputError: If one is not.
    """
    if not 0 <= weight <= 1:
        raise InputError(f"`weight` must lie in [0, 1]. Received: {weight}.")
    if temperature <= 0:
        raise InputError(f"`temperature` must be positive. Received: {temperature}.")
    if hidden_weight < 0:
        raise InputError(f"`hidden_weight` must not be negative. Received: {hidden_weight}.")


def _layer_map(side, student, teacher, layers):
    student_layers = len(getattr(student, f"{side}_layers"))
    teacher_layers = len(getattr(teacher, f"{side}_layers"))
    if layers is None:
        return [(i + 1) * teacher_layers // student_layers for i in range(student_layers)]
    if len(layers) != student_layers or any(not 0 <= layer <= teacher_layers for layer in layers):
        raise InputError(
            f"`{side}_layers` must name a layer of the teacher, 0 to {teacher_layers}, for each of "
            f"the student's {student_layers}. Received: {list(layers)}."
        )
    return list(layers)
