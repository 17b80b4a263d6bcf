"""Training text encoders to classify."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.models import TextEncoder, TextEncoderConfig
from tfcompress.models.transfer import transfer_weights
from tfcompress.text.labelled_texts import LabelledTexts
from tfcompress.training.config import TrainingConfig
from tfcompress.training.losses import LabelSmoothedCrossentropy
from tfcompress.training.text_distillation import TextDistillation
from tfcompress.training.trainer import run_training

_ALL_COUNT = -1


def train_classifier(
    model_config: TextEncoderConfig,
    texts: LabelledTexts,
    validation: LabelledTexts,
    config: TrainingConfig,
    folder: str | Path,
    *,
    start: TextEncoder | None = None,
    teacher: TextEncoder | None = None,
    verbose: int = 1,
    say: Callable[[str], object] = print,
) -> tuple[TextEncoder, list[dict]]:
    """Trains a text encoder with `model.fit`; called again on the same folder, it goes on.

    Args:
        model_config: The model, with a head for classification.
        texts: The training texts, with token types where the model has some.
        validation: The validation texts, like them; their loss and accuracy are taken every
            `evaluate_every` updates.
        config: How to train.
        folder: Keeps the state of training and TensorBoard logs.
        start: A trained model whose weights to begin with, wherever names and shapes are the same.
        teacher: What `config.distillation` learns from.
        verbose: 1 for a progress bar, 2 for a line an evaluation, 0 for neither.
        say: Called with a line about how the training ended.

    Returns:
        The trained model in float32, with the weights that `config.weights` says, and the figures
        of every evaluation.

    Raises:
        InputError: If the model has another head, a label is out of range, layers should be
            replaced that have no successors, the loss is not finite before the first evaluation, or
            the saved state is damaged.

    Example:

    >>> encoder, history = tfc.training.train_classifier(config, texts, valid, training, "run")
    >>> history[-1]["val_accuracy"]
    0.89
    """
    head = model_config.head
    if head is None or head.kind != "classification":
        raise InputError(
            "`train_classifier` needs a head for classification (received "
            f"{'none' if head is None else head.kind})"
        )
    for part in (texts, validation):
        outside = part.labels[(part.labels < 0) | (part.labels >= head.classes)]
        if outside.size:
            raise InputError(
                f"labels must lie between 0 and {head.classes - 1} (received {outside[0]})"
            )
    task = _Classification(model_config, texts, validation)
    return run_training(
        task, config, folder, start=start, teacher=teacher, verbose=verbose, say=say
    )


class _Classification:
    """Classification as a task of the trainer."""

    pad_label = _ALL_COUNT

    def __init__(self, model_config, texts, validation):
        self.model_config = model_config
        self._texts = texts
        self._validation = validation

    def new_model(self, start=None):
        encoder = TextEncoder(self.model_config)
        if start is not None:
            transfer_weights(start, encoder)
        return encoder

    def loss(self, config):
        return None  # Keras 2 and 3 take losses of dictionaries in different ways.

    def objective(self, model, config):
        loss = _loss(config.label_smoothing)
        return lambda inputs, labels: loss.mean(labels, model(inputs, training=True)["logits"])

    def distillation(self, student, teacher, config):
        settings = dataclasses.asdict(config.distillation)
        if settings.pop("decoder_layers") is not None:
            raise InputError("`distillation.decoder_layers` is for translation models only")
        return TextDistillation(student, teacher, _loss(config.label_smoothing), **settings)

    def metrics(self, config):
        return ("val_accuracy", "val_loss")

    def batches(self, config, done):
        return self._texts.training_dataset(
            batch_tokens=config.batch_tokens,
            seed=config.seed,
            start_step=done,
            accumulate=config.accumulate,
        )

    def evaluations(self, compressed, config):
        dataset = self._validation.evaluation_dataset(batch_tokens=config.batch_tokens)
        return [_Validation(compressed.model, dataset)]


class _Validation(keras.callbacks.Callback):
    """Adds the unsmoothed loss and the accuracy on the validation texts to the logs."""

    def __init__(self, model, dataset):
        super().__init__()
        loss = _loss(0.0)
        self.dataset = dataset

        @tf.function(reduce_retracing=True)
        def sums(inputs, labels):
            logits = model(inputs, training=False)["logits"]
            count = tf.cast(tf.shape(labels)[0], tf.float32)
            right = tf.argmax(logits, axis=-1, output_type=labels.dtype) == labels
            right = tf.math.count_nonzero(right, dtype=tf.float32)
            return tf.reduce_sum(loss.call(labels, logits)), right, count

        self.sums = sums

    def on_epoch_end(self, epoch, logs=None):
        rows = [[float(value) for value in self.sums(*batch)] for batch in self.dataset]
        loss, right, count = np.sum(rows, axis=0)
        if logs is not None:
            logs["val_loss"] = float(loss / count)
            logs["val_accuracy"] = float(right / count)


def _loss(label_smoothing):
    return LabelSmoothedCrossentropy(label_smoothing, _ALL_COUNT)
