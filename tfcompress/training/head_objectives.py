"""What each head is trained for: its labels, loss, score and distance to a teacher."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.models.head_config import CLASSIFICATION, MULTI_LABEL, REGRESSION
from tfcompress.training.hidden_states import divergence
from tfcompress.training.losses import LabelSmoothedCrossentropy

_NO_CLASS = -1


@dataclass(frozen=True)
class HeadObjective:
    """What a head is trained for.

    Attributes:
        loss: Returns the loss of labels and logits, given the label smoothing.
        score: The key of the score, the higher the better.
        measure: Returns the score of all labels and logits.
        check: Called with labels and the number of classes; raises InputError for impossible ones.
        divergence: Returns the distance of logits to a teacher's, given a temperature.
        label_type: The type of labels.
        no_label: A label of that type that does not occur.
    """

    loss: Callable[[float], keras.losses.Loss]
    score: str
    measure: Callable[[np.ndarray, np.ndarray], float]
    check: Callable[[np.ndarray, int | None], None]
    divergence: Callable[[tf.Tensor, tf.Tensor, float], tf.Tensor]
    label_type: tf.DType = tf.int32
    no_label: float = _NO_CLASS


class _ClassesCrossentropy(keras.losses.BinaryCrossentropy):
    """Cross-entropy with each class by itself, averaged over the classes."""

    def call(self, y_true, y_pred):
        return super().call(tf.cast(y_true, y_pred.dtype), y_pred)


class _SquaredError(keras.losses.MeanSquaredError):
    """Squared error of scores, `[batch]` or `[batch, scores]`."""

    def call(self, y_true, y_pred):
        return super().call(tf.reshape(tf.cast(y_true, y_pred.dtype), tf.shape(y_pred)), y_pred)


def _check_numbers(labels, classes):
    if labels.ndim != 1 or labels.dtype.kind == "f":
        raise InputError(
            "A classification needs the number of one class a text. Received: labels of shape "
            f"{labels.shape} and type {labels.dtype}."
        )
    outside = labels[(labels < 0) | (labels >= classes)]
    if outside.size:
        raise InputError(f"Labels must lie between 0 and {classes - 1}. Received: {outside[0]}.")


def _check_members(labels, classes):
    if labels.shape[1:] != (classes,):
        raise InputError(
            f"A multi-label classification needs {classes} labels a text, one for each class. "
            f"Received: labels of shape {labels.shape}."
        )
    others = labels[(labels != 0) & (labels != 1)]
    if others.size:
        raise InputError(f"Labels of several classes must be 0 or 1. Received: {others[0]}.")


def _check_scores(labels, classes):
    if labels.shape[1:] not in [(classes,), *[()] * (classes == 1)]:
        raise InputError(
            f"A regression needs {classes} scores a text. Received: labels of shape {labels.shape}."
        )
    if not np.isfinite(labels).all():
        raise InputError("Scores must be finite numbers. Received: others.")


def _accuracy(labels, logits):
    return float(np.mean(np.argmax(logits, axis=-1) == labels))


def _f1(labels, logits):
    predicted, expected = logits > 0, labels == 1
    decided = np.sum(predicted) + np.sum(expected)
    return float(2 * np.sum(predicted & expected) / decided) if decided else 0.0


def _explained(labels, logits):
    labels = labels.reshape(logits.shape).astype(np.float64)
    variance = np.sum((labels - labels.mean(axis=0)) ** 2)
    return float(1 - np.sum((labels - logits) ** 2) / variance) if variance else 0.0


def _divergence_of_classes(student, teacher, temperature):
    student = tf.cast(student, tf.float32) / temperature
    teacher = tf.stop_gradient(tf.cast(teacher, tf.float32)) / temperature
    crossentropy = tf.nn.sigmoid_cross_entropy_with_logits
    probabilities = tf.sigmoid(teacher)
    distance = crossentropy(probabilities, student) - crossentropy(probabilities, teacher)
    return temperature**2 * tf.reduce_mean(distance, axis=-1)


def _distance_of_scores(student, teacher, temperature):
    difference = tf.cast(student, tf.float32) - tf.stop_gradient(tf.cast(teacher, tf.float32))
    return tf.reduce_mean(tf.square(difference), axis=-1)


HEAD_OBJECTIVES = {
    CLASSIFICATION: HeadObjective(
        lambda smoothing: LabelSmoothedCrossentropy(smoothing, _NO_CLASS),
        "val_accuracy",
        _accuracy,
        _check_numbers,
        divergence,
    ),
    MULTI_LABEL: HeadObjective(
        lambda smoothing: _ClassesCrossentropy(from_logits=True, label_smoothing=smoothing),
        "val_f1",
        _f1,
        _check_members,
        _divergence_of_classes,
    ),
    REGRESSION: HeadObjective(
        lambda smoothing: _SquaredError(),
        "val_r2",
        _explained,
        _check_scores,
        _distance_of_scores,
        label_type=tf.float32,
        no_label=math.nan,  # Equal to no score.
    ),
}
