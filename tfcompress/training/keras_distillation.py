"""Distillation of Keras models of a user's own."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf
from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.layers import Dense
from tfcompress.layers.common.capturing import captured_calls
from tfcompress.layers.common.nested import by_name, named_layers
from tfcompress.models.head_config import CLASSIFICATION
from tfcompress.training.head_objectives import HEAD_OBJECTIVES
from tfcompress.training.hidden_states import check_weights


class KerasDistillation(keras.Model):
    """A student that learns from a teacher; `compile` and `fit` it as any Keras model.

    The loss is `(1 - weight) * loss + weight * temperature**2 * KL(teacher || student) +
    hidden_weight * mean squared difference of mapped hidden states`, where `loss` is what the
    model is compiled with. Padding, as Keras' masks mark it in the student's output, does not
    count; sample weights do. Where states differ in width, the student's go through a projection,
    trained beside it and thrown away afterwards. The teacher computes without dropout and gets no
    gradients. Validation has the plain loss.

    Callbacks see the student's layers and not the teacher's. What is trained is the student itself.

    Args:
        student: The model in training, functional, sequential or subclassed.
        teacher: A trained model that takes the same inputs and gives outputs of the same shape.
        weight: Weight of the teacher's outputs, in [0, 1].
        temperature: What logits are divided by before they are compared.
        task: What outputs are: logits of a "classification", of a "multi_label_classification", or
            scores of a "regression", which have squared differences.
        output: Key of the outputs that are compared, where models give dictionaries.
        hidden_weight: Weight of the hidden states; 0 for none.
        hidden_layers: Names of the teacher's layers, by those of the student's whose outputs shall
            match theirs; by their paths where several have one name.
        inputs: With `hidden_layers`, a batch of inputs, from which widths are learned.
        **kwargs: Keyword arguments of `keras.Model`.

    Attributes:
        student: The model in training.

    Raises:
        InputError: If a weight, temperature, task, layer or output is impossible.

    Example:

    >>> hidden, logits = keras.layers.Dense(16), keras.layers.Dense(3)
    >>> teacher = keras.Sequential([keras.Input((8,)), hidden, logits])
    >>> student = keras.Sequential([keras.Input((8,)), keras.layers.Dense(3)])
    >>> distillation = tfc.training.KerasDistillation(student, teacher, temperature=2.0)
    >>> loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    >>> distillation.compile("adam", loss)
    >>> x, y = np.random.rand(4, 8).astype("float32"), np.array([0, 1, 2, 0])
    >>> history = distillation.fit(x, y, verbose=0)
    >>> student.save("student.keras")

    Reference: Hinton et al., 2015, arXiv:1503.02531; hidden states as in Jiao et al., 2020,
    arXiv:1909.10351.
    """

    def __init__(
        self,
        student: keras.Model,
        teacher: keras.Model,
        *,
        weight: float = 0.5,
        temperature: float = 1.0,
        task: str = CLASSIFICATION,
        output: str | None = None,
        hidden_weight: float = 0.0,
        hidden_layers: Mapping[str, str] | None = None,
        inputs: Any = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_weights(weight, temperature, hidden_weight)
        if task not in HEAD_OBJECTIVES:
            raise InputError(
                f"`task` must be one of {', '.join(HEAD_OBJECTIVES)}. Received: {task!r}. Choose "
                "what the outputs are."
            )
        for name, model in (("student", student), ("teacher", teacher)):
            if not isinstance(model, keras.Model) or not model.built:
                raise InputError(
                    f"`{name}` must be a built Keras model. Received: {type(model).__name__}. Call "
                    "it once, or pass the `model` of this library's own."
                )
        if bool(hidden_weight) != bool(hidden_layers):
            raise InputError(
                "`hidden_weight` and `hidden_layers` go together. Received: "
                f"hidden_weight={hidden_weight}, hidden_layers={hidden_layers}. Give both or none."
            )
        self.student = student
        self.weight, self.temperature, self.output_name = weight, temperature, output
        self.hidden_weight = hidden_weight
        self._divergence = HEAD_OBJECTIVES[task].divergence
        self._pairs = tuple((hidden_layers or {}).items())
        # Not an attribute that Keras or callbacks find.
        self._teacher = _Untracked(teacher)
        own = _layers("student", student, [name for name, _ in self._pairs])
        self._student_layers = _Untracked(own)
        self._teacher_layers = _Untracked(_layers("teacher", teacher, dict(self._pairs).values()))
        self.projections = self._projections(inputs) if self._pairs else []
        self._states, self._trains = _Untracked({}), False
        self.built = True

    def call(self, inputs, training=None):
        with captured_calls(self._student_layers.value) as calls:
            outputs = self.student(inputs, training=training)
        self._states = _Untracked(calls)
        return outputs

    def train_step(self, *args, **kwargs):
        self._trains = True
        try:
            return super().train_step(*args, **kwargs)
        finally:
            self._trains = False

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, **kwargs):
        loss = super().compute_loss(x, y, y_pred, sample_weight, **kwargs)
        if not self._trains:
            return loss
        regularization = tf.add_n(self.losses) if self.losses else 0.0
        total = (1.0 - self.weight) * (loss - regularization) + regularization
        with captured_calls(self._teacher_layers.value) as calls:
            taught = self._teacher.value(x, training=False)
        own, taught = self._output("student", y_pred), self._output("teacher", taught)
        if self.weight:
            values = self._divergence(own, tf.stop_gradient(taught), self.temperature)
            total += self.weight * _mean(values, _mask(own), sample_weight)
        for index, (name, other) in enumerate(self._pairs):
            state = _last(self._states.value, name)
            target = tf.stop_gradient(tf.cast(_last(calls, other), tf.float32))
            mask = _mask(state)
            if self.projections[index] is not None:
                state = self.projections[index](state)
            values = tf.reduce_mean(tf.square(tf.cast(state, tf.float32) - target), axis=-1)
            part = self.hidden_weight / len(self._pairs)
            total += part * _mean(values, mask, sample_weight)
        return total

    def _output(self, name, outputs):
        if self.output_name is not None and isinstance(outputs, Mapping):
            if self.output_name not in outputs:
                raise InputError(
                    f"`output` must be a key of both models' outputs. Received: "
                    f"{self.output_name!r}, and a {name} with {', '.join(outputs)}."
                )
            return outputs[self.output_name]
        if not hasattr(outputs, "shape"):
            raise InputError(
                f"Outputs must be one tensor each. Received: {type(outputs).__name__} of the "
                f"{name}. Pass `output`, the key of what is compared."
            )
        return outputs

    def _projections(self, inputs):
        if inputs is None:
            raise InputError(
                "`hidden_layers` need `inputs`. Received: none. Pass a batch as the models take it."
            )
        with (
            captured_calls(self._student_layers.value) as own,
            captured_calls(self._teacher_layers.value) as others,
        ):
            self.student(inputs, training=False)
            self._teacher.value(inputs, training=False)
        projections = []
        for name, other in self._pairs:
            width, wanted = _last(own, name).shape[-1], _last(others, other).shape[-1]
            projection = None
            if width != wanted:
                projection = Dense(wanted, name=f"projection_{len(projections)}")
                projection.build((None, width))
            projections.append(projection)
        return projections


class _Untracked:
    """Holds what Keras shall not take for a part of the model."""

    def __init__(self, value):
        self.value = value


def _layers(which, model, names):
    known = named_layers(model, keras.layers.Layer)
    known = {**known, **by_name(known)}
    if unknown := [name for name in names if name not in known]:
        raise InputError(
            f"`hidden_layers` must name layers of both models. Received: {unknown}, not of the "
            f"{which}. Give some of {', '.join(known)}."
        )
    return {name: known[name] for name in names}


def _last(calls, name):
    if not calls[name]:
        # Raised while a graph is traced, where TensorFlow knows built-in errors only.
        raise ValueError(
            f"`hidden_layers` must be called by their models. Received: {name}, which is not. "
            "Name others."
        )
    output = calls[name][-1][1]
    return output[0] if isinstance(output, (list, tuple)) else output


def _mask(x):
    return getattr(x, "_keras_mask", None)


def _mean(values, mask, sample_weight):
    weights = tf.ones_like(values)
    if mask is not None and mask.shape.rank == values.shape.rank:
        weights *= tf.cast(mask, weights.dtype)
    if sample_weight is not None:
        rows = tf.cast(sample_weight, weights.dtype)
        while rows.shape.rank < weights.shape.rank:
            rows = rows[..., tf.newaxis]
        weights *= rows
    return tf.math.divide_no_nan(tf.reduce_sum(values * weights), tf.reduce_sum(weights))
