"""Training a model so that it can be interrupted at any time."""

import contextlib
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.expressions import compile_expression
from tfcompress.interrupts import Interrupts
from tfcompress.models.copying import copy_layers
from tfcompress.training.accumulation import AccumulatingModel, grouped
from tfcompress.training.checkpoints import TrainingState, parameters
from tfcompress.training.compression import compression, load_methods
from tfcompress.training.config import TrainingConfig
from tfcompress.training.layer_drop_schedule import LayerDropSchedule
from tfcompress.training.schedules import Cosine, InverseSquareRoot
from tfcompress.training.task import Model, Task
from tfcompress.training.theseus_replacer import TheseusReplacer

_SIDES = ("encoder", "decoder")


def run_training(
    task: Task,
    config: TrainingConfig,
    folder: str | Path,
    *,
    start: Model | None = None,
    teacher: Model | None = None,
    verbose: int = 1,
) -> tuple[Model, list[dict]]:
    """Trains a model with `model.fit`; called again on the same folder, it goes on.

    Args:
        task: The model, its examples, its loss and its score.
        config: How to train.
        folder: Keeps the state of training and TensorBoard logs.
        start: A trained model whose weights to begin with, wherever names and shapes are the same.
        teacher: What `config.distillation` learns from.
        verbose: 1 for a progress bar, 2 for a line an evaluation, 0 for silence.

    Returns:
        The trained model in float32, with the averaged weights of the last evaluations, and the
        figures of every evaluation.

    Raises:
        InputError: If no example is short enough, layers should be replaced that have no
            successors, or the saved state is damaged.
    """
    folder = Path(folder)
    load_methods(config)
    if config.replacing is not None and not _has_successors(task.model_config):
        raise InputError(
            "`replacing` needs a model with successors (received none); set `successors` of the "
            "encoder or decoder"
        )
    keras.utils.set_random_seed(config.seed)
    if not config.updates:
        return task.new_model(start), []
    strategy = _strategy(config.strategy)
    with strategy.scope(), _precision(config.precision):
        transformer = task.new_model(start)
        _freeze(transformer, config.train_only)
        compressed = compression(transformer, config)
        model = _compiled(task, transformer, compressed.model, config, teacher)
        state = TrainingState(
            folder,
            compressed.model,
            model.optimizer,
            average=config.average,
            helpers=getattr(model, "helpers", ()),
        )
        done = state.restore()
        _fit(task, compressed, model, config, folder, state, done, verbose)
        averaged = state.averaged_weights()
        for variable, value in zip(parameters(compressed.model), averaged, strict=True):
            variable.assign(value)
    trained = task.new_model()
    copy_layers(compressed.plain().model, trained.model)
    return trained, state.history


def _has_successors(config):
    stacks = (getattr(config, side, None) for side in _SIDES)
    return any(stack is not None and stack.successors is not None for stack in stacks)


def _freeze(transformer, train_only):
    if train_only is None:
        return
    expression = compile_expression("train_only", train_only)
    names = [layer.name for layer in transformer.model.layers if layer.trainable_weights]
    for name in names:
        if not expression.search(name):
            transformer.layer(name).trainable = False
    if not transformer.model.trainable_weights:
        raise InputError(
            f"`train_only` {train_only!r} matches no layer with weights; there are "
            f"{', '.join(names)}"
        )


def _compiled(task, transformer, model, config, teacher):
    optimizer = keras.optimizers.Adam(
        _learning_rate(config),
        beta_1=config.beta_1,
        beta_2=config.beta_2,
        epsilon=1e-9,
        global_clipnorm=config.clip_norm,
    )
    loss = task.loss(config)
    if config.distillation is not None:
        if teacher is None:
            raise InputError("`distillation` needs a teacher (received none)")
        objective = task.distillation(transformer, teacher, config)
        model = AccumulatingModel(model, objective, task.pad_label, objective.helpers)
        model.compile(optimizer=optimizer)
    elif config.accumulate > 1 or loss is None:
        if config.accumulate > 1 and config.strategy != "none" and hasattr(keras, "ops"):
            raise InputError(
                f"`accumulate` {config.accumulate} with `strategy` {config.strategy} needs "
                "Keras 2; set TF_USE_LEGACY_KERAS=1 or accumulate 1"
            )
        model = AccumulatingModel(model, task.objective(model, config), task.pad_label)
        model.compile(optimizer=optimizer)
    else:
        model.compile(optimizer=optimizer, loss=loss)
    model.optimizer.build(model.trainable_variables)
    return model


def _fit(task, compressed, model, config, folder, state, done, verbose):
    every = config.evaluate_every
    if done >= config.updates or _out_of_patience(state.history, task.score, config.patience):
        return
    dataset = task.batches(config, done)
    if isinstance(model, AccumulatingModel):
        dataset = grouped(dataset, config.accumulate)
    callbacks = compressed.callbacks + _schedules(task.model_config, config)
    callbacks += task.evaluations(compressed, config)
    callbacks.append(_Save(state, task.score, config))
    callbacks.append(keras.callbacks.TensorBoard(str(folder / "tensorboard"), write_graph=False))
    with Interrupts() as interrupts:
        callbacks.append(_Interruptible(interrupts))
        model.fit(
            _unsharded(dataset),
            initial_epoch=done // every,
            epochs=config.updates // every,
            steps_per_epoch=every,
            callbacks=callbacks,
            verbose=verbose,
        )


def _schedules(model_config, config):
    """Callbacks of the methods that change during training."""
    callbacks = []
    if config.replacing is not None:
        callbacks.append(TheseusReplacer(**asdict(config.replacing)))
    for side in _SIDES:
        stack = getattr(model_config, side, None)
        if stack is not None and stack.layer_drop.learned:
            drop = stack.layer_drop
            callbacks.append(LayerDropSchedule(float(np.mean(drop.rate)), layers=f"^{side}_"))
    return callbacks


class _Save(keras.callbacks.Callback):
    """Saves the state after every evaluation and stops when patience runs out."""

    def __init__(self, state, score, config):
        super().__init__()
        self.state = state
        self.score = score
        self.config = config
        self.started = time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        now = time.monotonic()
        figures = {"update": (epoch + 1) * self.config.evaluate_every}
        figures |= {name: float(value) for name, value in (logs or {}).items()}
        figures["seconds"] = round(now - self.started, 3)
        self.started = now
        self.state.save(figures)
        if _out_of_patience(self.state.history, self.score, self.config.patience):
            self.model.stop_training = True


class _Interruptible(keras.callbacks.Callback):
    """Lets interrupts take effect after an update and after what is saved."""

    _supports_tf_logs = True

    def __init__(self, interrupts):
        super().__init__()
        self.interrupts = interrupts

    def on_train_batch_end(self, batch, logs=None):
        self.interrupts.check()

    def on_epoch_end(self, epoch, logs=None):
        self.interrupts.check()


def _out_of_patience(history, score, patience):
    if patience is None or not history:
        return False
    scores = [entry[score] for entry in history]
    return len(scores) - 1 - int(np.argmax(scores)) >= patience


def _learning_rate(config):
    if config.schedule == "constant":
        return config.learning_rate
    if config.schedule == "cosine":
        return Cosine(config.learning_rate, config.warmup, config.updates)
    return InverseSquareRoot(config.learning_rate, config.warmup)


def _strategy(name):
    if name == "mirrored":
        return tf.distribute.MirroredStrategy()
    if name == "multi_worker":
        return tf.distribute.MultiWorkerMirroredStrategy()
    return tf.distribute.get_strategy()


@contextlib.contextmanager
def _precision(policy):
    """Builds layers under a data type policy and puts the former one back."""
    former = keras.mixed_precision.global_policy()
    keras.mixed_precision.set_global_policy(policy)
    try:
        yield
    finally:
        keras.mixed_precision.set_global_policy(former)


def _unsharded(dataset):
    """Gives every worker the whole stream: each takes its own share of every batch's gradient."""
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    return dataset.with_options(options)
