"""Training text encoders to classify and to score."""

import dataclasses
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow import keras

from tfcompress.errors import InputError, InputWarning
from tfcompress.expressions import compile_expression
from tfcompress.models import TextEncoder, TextEncoderConfig
from tfcompress.models.transfer import match_head, transfer_weights
from tfcompress.text import CachedLabelledTexts, LabelledTexts
from tfcompress.training.config import TrainingConfig
from tfcompress.training.head_objectives import HEAD_OBJECTIVES
from tfcompress.training.text_distillation import TextDistillation
from tfcompress.training.trainer import run_training


def train_classifier(
    model_config: TextEncoderConfig,
    texts: LabelledTexts | CachedLabelledTexts,
    validation: LabelledTexts,
    config: TrainingConfig,
    folder: str | Path,
    *,
    start: TextEncoder | None = None,
    teacher: TextEncoder | None = None,
    verbose: int = 1,
    log: Callable[[str], object] = print,
) -> tuple[TextEncoder, list[dict]]:
    """Trains a text encoder with `model.fit`; called again on the same folder, it goes on.

    What is minimized is the head's: cross-entropy with the one class or with each class of a text,
    or the squared error of scores, which has no label smoothing.

    Args:
        model_config: The model, with a head for classification, multi-label classification or
            regression.
        texts: The training texts (`LabelledTexts` or `CachedLabelledTexts`), with token types where
            the model has some, and labels as the head needs them.
        validation: The validation texts, like them; their loss and `val_accuracy`, `val_f1` (over
            all decisions) or `val_r2` (the part of the variance that is explained) are taken every
            `evaluate_every` updates.
        config: How to train.
        folder: Keeps the state of training and TensorBoard logs.
        start: A trained model whose weights to begin with, wherever names and shapes are the same.
            The output layer takes over its classes by their names, or starts anew.
        teacher: What `config.distillation` learns from; its classes are found by their names.
        verbose: 1 for a progress bar, 2 for a line an evaluation, 0 for neither.
        log: Called with a line about classes that are taken over other than as they are, and about
            how the training ended.

    Returns:
        The trained model in float32, with the weights that `config.weights` says, and the metrics
        of every evaluation.

    Raises:
        InputError: If the model has another head, a label is impossible, the head would have to
            start anew and is not trained, layers should be replaced that have no successors, the
            loss is not finite before the first evaluation, or the saved state is damaged.

    Example:

    >>> training = tfc.training.TrainingConfig(updates=2, evaluate_every=2, batch_tokens=64)
    >>> encoder, history = tfc.training.train_classifier(
    ...     config, texts, texts, training, "classifier", verbose=0
    ... )
    trained for 2 updates...
    >>> "val_accuracy" in history[-1]
    True
    """
    head = model_config.head
    if head is None or head.task not in HEAD_OBJECTIVES:
        raise InputError(
            f"`train_classifier` needs a head for {', '.join(HEAD_OBJECTIVES)}. Received: "
            f"{'none' if head is None else head.task}."
        )
    objective = HEAD_OBJECTIVES[head.task]
    for name, part in (("training", texts), ("validation", validation)):
        objective.check(part.labels, head.classes)
        if part.cut:
            warnings.warn(
                f"{part.cut:,} of {len(part):,} {name} texts are cut, as they have more tokens "
                f"than {part.max_length}, with begin and end",
                InputWarning,
                stacklevel=2,
            )
    if start is not None:
        _log_head(match_head(start.config, model_config), config, log)
    task = _Classification(model_config, texts, validation, objective, log)
    return run_training(
        task, config, folder, start=start, teacher=teacher, verbose=verbose, log=log
    )


def _log_head(match, config, log):
    """Says which classes the head takes over, and refuses one that would stay random."""
    if match.order is not None:
        if match.message is not None:
            log(match.message)
        return
    trains = config.train_only is None or compile_expression(
        "train_only", config.train_only
    ).search("head_output")
    if not config.updates or not trains:
        setting = f"train_only {config.train_only}" if config.updates else "updates 0"
        raise InputError(
            f"The model to begin with has {match.message}, so the head must start anew, but it "
            f"would not be trained. Received: {setting}. Train it, or begin with these classes."
        )
    log(f"the head starts anew: the model to begin with has {match.message}")


class _Classification:
    """What a head says of texts, as a task of the trainer."""

    def __init__(self, model_config, texts, validation, objective, log):
        self.model_config = model_config
        self.pad_label = objective.no_label
        self.score = objective.score
        self._texts = texts
        self._validation = validation
        self._objective = objective
        self._log = log

    def new_model(self, start=None):
        encoder = TextEncoder(self.model_config)
        if start is not None:
            transfer_weights(start, encoder)
        return encoder

    def loss(self, config):
        return None  # Keras 2 and 3 take losses of dictionaries in different ways.

    def objective(self, model, config):
        loss = self._objective.loss(config.label_smoothing)
        return lambda inputs, labels: tf.reduce_mean(
            loss.call(labels, model(inputs, training=True)["logits"])
        )

    def distillation(self, student, teacher, config):
        settings = dataclasses.asdict(config.distillation)
        if settings.pop("decoder_layers") is not None:
            raise InputError(
                "`distillation.decoder_layers` is for translation models only. Received: a text "
                "encoder. Leave it out."
            )
        self._check_lengths(teacher)
        loss = self._objective.loss(config.label_smoothing)
        objective = TextDistillation(student, teacher, loss, **settings)
        if objective.message is not None:
            self._log(f"the teacher's {objective.message}")
        return objective

    def metrics(self, config):
        return (self.score, "val_loss")

    def batches(self, config, done):
        return self._texts.training_dataset(
            batch_tokens=config.batch_tokens,
            seed=config.seed,
            start_step=done,
            accumulate=config.accumulate,
        ).map(lambda inputs, labels: (inputs, tf.cast(labels, self._objective.label_type)))

    def evaluations(self, compressed, config):
        dataset = self._validation.evaluation_dataset(batch_tokens=config.batch_tokens)
        return [_Validation(compressed.model, dataset, self._objective)]

    def _check_lengths(self, teacher):
        if self._texts.longest > teacher.config.max_length:
            raise InputError(
                f"The teacher takes texts of {teacher.config.max_length} tokens at most. "
                f"Received: one of {self._texts.longest}. Give the student that `max_length`."
            )


class _Validation(keras.callbacks.Callback):
    """Adds the unsmoothed loss and the score on the validation texts to the logs."""

    def __init__(self, model, dataset, objective):
        super().__init__()
        loss = objective.loss(0.0)
        self.dataset = dataset
        self.objective = objective

        @tf.function(reduce_retracing=True)
        def results(inputs, labels):
            logits = model(inputs, training=False)["logits"]
            return tf.reduce_mean(loss.call(labels, logits)), labels, logits

        self.results = results

    def on_epoch_end(self, epoch, logs=None):
        losses, labels, logits = zip(*(self.results(*batch) for batch in self.dataset))
        sizes = [len(part) for part in labels]
        if logs is not None:
            logs["val_loss"] = float(np.average([float(loss) for loss in losses], weights=sizes))
            logs[self.objective.score] = self.objective.measure(
                np.concatenate(labels), np.concatenate(logits)
            )
