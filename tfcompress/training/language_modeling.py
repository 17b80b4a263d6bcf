"""Training language models."""

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path

from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.models import LanguageModel, LanguageModelConfig
from tfcompress.models.transfer import transfer_weights
from tfcompress.text import CachedTexts, TokenizedTexts
from tfcompress.training.accumulation import crossentropy
from tfcompress.training.config import TrainingConfig
from tfcompress.training.language_model_distillation import LanguageModelDistillation
from tfcompress.training.losses import LabelSmoothedCrossentropy
from tfcompress.training.trainer import run_training
from tfcompress.training.validation_loss import ValidationLoss


def train_language_model(
    model_config: LanguageModelConfig,
    texts: TokenizedTexts | CachedTexts,
    validation: TokenizedTexts,
    config: TrainingConfig,
    folder: str | Path,
    *,
    start: LanguageModel | None = None,
    teacher: LanguageModel | None = None,
    verbose: int = 1,
    log: Callable[[str], object] = print,
) -> tuple[LanguageModel, list[dict]]:
    """Trains a language model with `model.fit`; called again on the same folder, it goes on.

    Args:
        model_config: The model.
        texts: The training rows, none longer than the model takes: `TokenizedTexts` or
            `CachedTexts`.
        validation: The validation rows; their loss and `val_perplexity`, its power of e, are taken
            every `evaluate_every` updates, without label smoothing.
        config: How to train.
        folder: Keeps the state of training and TensorBoard logs.
        start: A trained model whose weights to begin with, wherever names and shapes are the same.
        teacher: What `config.distillation` learns from.
        verbose: 1 for a progress bar, 2 for a line an evaluation, 0 for neither.
        log: Called with a line about how the training ended.

    Returns:
        The trained model in float32, with the weights that `config.weights` says, and the metrics
        of every evaluation.

    Raises:
        InputError: If a row is too long, layers should be replaced that have no successors, the
            loss is not finite before the first evaluation, or the saved state is damaged.

    Example:

    >>> training = tfc.training.TrainingConfig(updates=2, evaluate_every=2, batch_tokens=64)
    >>> model, history = tfc.training.train_language_model(
    ...     config, texts, texts, training, "language-model", verbose=0
    ... )
    trained for 2 updates...
    >>> history[-1]["val_perplexity"] > 1
    True
    """
    for name, rows in (("texts", texts), ("validation", validation)):
        if rows.longest > model_config.max_length:
            raise InputError(
                f"`{name}` must have rows of at most {model_config.max_length} ids, the model's "
                f"max_length. Received: one of {rows.longest}. Tokenize with that max_length."
            )
    task = _LanguageModeling(model_config, texts, validation)
    return run_training(
        task, config, folder, start=start, teacher=teacher, verbose=verbose, log=log
    )


class _LanguageModeling:
    """Predicting the next token as a task of the trainer."""

    def __init__(self, model_config, texts, validation):
        self.model_config = model_config
        self.pad_label = model_config.pad_id
        self._texts = texts
        self._validation = validation

    def new_model(self, start=None):
        model = LanguageModel(self.model_config)
        if start is not None:
            transfer_weights(start, model)
        return model

    def loss(self, config):
        return LabelSmoothedCrossentropy(config.label_smoothing, self.pad_label)

    def objective(self, model, config):
        return crossentropy(model, self.loss(config))

    def distillation(self, student, teacher, config):
        settings = dataclasses.asdict(config.distillation)
        if settings.pop("encoder_layers") is not None:
            raise InputError(
                "`distillation.encoder_layers` needs an encoder. Received: a language model. Leave "
                "it out."
            )
        return LanguageModelDistillation(student, teacher, self.loss(config), **settings)

    def metrics(self, config):
        return ("val_perplexity", "val_loss")

    def batches(self, config, done):
        return self._texts.training_dataset(
            batch_tokens=config.batch_tokens,
            seed=config.seed,
            start_step=done,
            accumulate=config.accumulate,
        )

    def evaluations(self, compressed, config):
        dataset = self._validation.evaluation_dataset(batch_tokens=config.batch_tokens)
        return [ValidationLoss(compressed.model, self.pad_label, dataset), _Perplexity()]


class _Perplexity(keras.callbacks.Callback):
    """Adds the perplexity of the validation texts to the logs, as `val_perplexity`."""

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            # TensorBoard holds no more in float32.
            logs["val_perplexity"] = math.exp(min(logs["val_loss"], 80.0))
