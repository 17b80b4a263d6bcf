"""Training a model so that it can be interrupted at any time."""

import contextlib
import re
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.expressions import compile_expression
from tfcompress.interrupts import Interrupts
from tfcompress.models import Seq2SeqConfig
from tfcompress.models.copying import copy_layers
from tfcompress.training.accumulation import AccumulatingModel, grouped, shared
from tfcompress.training.checkpoints import TrainingState, parameters
from tfcompress.training.cluster import Cluster, join_cluster
from tfcompress.training.compression import compression, load_methods
from tfcompress.training.config import TrainingConfig
from tfcompress.training.layer_drop_schedule import LayerDropSchedule
from tfcompress.training.progress import TrainingProgress, has_terminal
from tfcompress.training.schedules import Cosine, InverseSquareRoot
from tfcompress.training.selection import selection
from tfcompress.training.shared_state import SharedState
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
    log: Callable[[str], object] = print,
) -> tuple[Any, list[dict]]:
    """Trains a model with `model.fit`; called again on the same folder, it goes on.

    With the strategy "multi_worker" it is called by every worker alike. The first one writes the
    folder; the others write nothing and return the same.

    Args:
        task: The model, its examples, its loss and its scores.
        config: How to train.
        folder: Keeps the state of training and TensorBoard logs.
        start: A trained model whose weights to begin with, wherever names and shapes are the same.
        teacher: What `config.distillation` learns from.
        verbose: 1 for a progress bar on a terminal, else a line an evaluation; 2 for lines, 0 for
            neither.
        log: Called with these lines and one about how the training ended.

    Returns:
        The trained model in float32, with the weights that `config.weights` says, and the metrics
        of every evaluation.

    Raises:
        InputError: If no example is short enough, layers should be replaced that have no
            successors, the loss is not finite before the first evaluation, the saved state is
            damaged, or a worker does not answer.
        WorkerLostError: If another worker ends; called again in new processes, it goes on.
    """
    folder, cluster = Path(folder), None
    if config.strategy == "multi_worker" and config.updates:
        cluster = join_cluster(timeout=config.worker_timeout)
    selected = selection(config, task.metrics(config))
    load_methods(config)
    if config.replacing is not None and not _has_successors(task.model_config):
        raise InputError(
            "`replacing` needs a model with successors. Received: none. Set `successors` of the "
            "encoder or decoder."
        )
    if config.guided_alignment is not None and not isinstance(task.model_config, Seq2SeqConfig):
        raise InputError(
            "`guided_alignment` needs a translation model. Received: "
            f"{type(task.model_config).__name__}. Leave it out."
        )
    keras.utils.set_random_seed(config.seed)
    if not config.updates:
        return task.new_model(start), []
    strategy = _strategy(config.strategy) if cluster is None else cluster.strategy
    with strategy.scope(), _precision(config.precision), _watched(cluster):
        transformer = task.new_model(start)
        _freeze(transformer, config.train_only)
        compressed = compression(transformer, config)
        model = _compiled(task, transformer, compressed.model, config, teacher)
        state: Any = TrainingState(
            folder,
            compressed.model,
            model.optimizer,
            choose=selected.chosen,
            helpers=getattr(model, "helpers", ()),
            log=log,
        )
        if cluster is not None:
            state = SharedState(state, cluster)
        done = state.restore()
        if done < config.updates and not selected.is_over(state.history):
            progress = None
            if verbose and state.is_kept:
                bar = verbose == 1 and has_terminal()
                progress = TrainingProgress(done, config.updates, bar=bar, log=log)
            ended = _fit(task, compressed, model, config, folder, state, selected, progress)
            if state.is_kept:
                log(f"{ended}; {selected.words(state.history)}")
        weights = state.chosen_weights()
        for variable, value in zip(parameters(compressed.model), weights, strict=True):
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
            f"`train_only` matches no layer with weights. Received: {train_only!r}. Give one of "
            f"{', '.join(names)}."
        )


def _compiled(task, transformer, model, config, teacher):
    clip_norm = config.clip_norm
    if clip_norm is not None and hasattr(keras, "ops"):
        # `AccumulatingModel` has Keras 3 clip a mean, which Keras adds up afterwards.
        clip_norm /= tf.distribute.get_strategy().num_replicas_in_sync
    optimizer = keras.optimizers.Adam(
        _learning_rate(config),
        beta_1=config.beta_1,
        beta_2=config.beta_2,
        epsilon=1e-9,
        global_clipnorm=clip_norm,
    )
    loss = task.loss(config)
    if config.distillation is not None:
        if teacher is None:
            raise InputError("`distillation` needs a teacher. Received: none.")
        objective = task.distillation(transformer, teacher, config)
        model = AccumulatingModel(model, objective, task.pad_label, objective.helpers)
        model.compile(optimizer=optimizer)
    elif (
        config.accumulate > 1
        or loss is None
        or config.strategy != "none"
        or config.guided_alignment is not None
    ):
        model = AccumulatingModel(model, task.objective(model, config), task.pad_label)
        model.compile(optimizer=optimizer)
    else:
        model.compile(optimizer=optimizer, loss=loss)
    model.optimizer.build(model.trainable_variables)
    return model


def _fit(task, compressed, model, config, folder, state, selected, progress):
    """Trains on and says how it ended."""
    every = config.evaluate_every
    done = state.history[-1]["update"] if state.history else 0
    dataset = task.batches(config, done)
    if isinstance(model, AccumulatingModel):
        dataset = grouped(dataset, config.accumulate)
    if config.strategy != "none":
        dataset = shared(dataset, tf.distribute.get_strategy())
    evaluations = task.evaluations(compressed, config) if state.is_kept else []
    evaluation = _Evaluation(evaluations, state, selected, every, progress)
    callbacks = compressed.callbacks + _schedules(task.model_config, config) + [evaluation]
    callbacks += [] if progress is None else [progress]
    if state.is_kept:
        logs = str(folder / "tensorboard")
        callbacks.append(keras.callbacks.TensorBoard(logs, write_graph=False))
    with Interrupts() as interrupts:
        callbacks.append(_Interruptible(interrupts))
        try:
            model.fit(
                dataset,
                initial_epoch=done // every,
                epochs=config.updates // every,
                steps_per_epoch=every,
                callbacks=callbacks,
                verbose=0,
            )
        except tf.errors.OpError as error:
            # What TensorFlow makes of an error in the data.
            names = "|".join(one.__name__ for one in (InputError, *InputError.__subclasses__()))
            if cause := re.search(rf"\b(?:{names}): (.+)", str(error)):
                raise InputError(cause.group(1)) from None
            raise
    if not state.history:
        raise InputError(
            f"The training ended before the first evaluation. Received: {evaluation.ended}. Lower "
            "`learning_rate`, lengthen `warmup`, or set `clip_norm`."
        )
    return evaluation.ended


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


class _Evaluation(keras.callbacks.Callback):
    """Evaluates and saves the state, and ends what gets no better or diverges.

    Attributes:
        ended: How the training ended.
    """

    def __init__(self, evaluations, state, selected, every, progress):
        super().__init__()
        self.progress = progress
        self.evaluations = evaluations
        self.state = state
        self.selected = selected
        self.every = every
        self.started = time.monotonic()
        self.ended = None
        self.epoch = 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        self._check("loss", logs, self.epoch * self.every + batch + 1)

    def on_epoch_end(self, epoch, logs=None):
        self.ended, metrics = self.state.share(lambda: self._evaluated(epoch, logs))
        if self.ended:
            self._end(self.ended)
            return
        self.state.save(metrics)
        if self.progress is not None:
            self.progress.show(metrics)
        if self.selected.is_over(self.state.history):
            update = metrics["update"]
            self._end(f"nothing got better for {self.selected.patience} evaluations, to {update}")

    def _evaluated(self, epoch, logs):
        """Why the training ends now, if it does, and the metrics."""
        update = (epoch + 1) * self.every
        for evaluation in self.evaluations:
            if not self.ended:
                evaluation.on_epoch_end(epoch, logs)
                self._check("val_loss", logs, update)
        now = time.monotonic()
        metrics: dict[str, Any] = {"update": update}
        metrics |= {name: float(value) for name, value in (logs or {}).items()}
        metrics["seconds"] = round(now - self.started, 3)
        self.started = now
        return self.ended, metrics

    def on_train_end(self, logs=None):
        if self.ended is None:
            self.ended = f"trained for {self.state.history[-1]['update']} updates"

    def _check(self, name, logs, update):
        if not np.isfinite(float(logs[name])):
            self._end(f"the {name} of update {update} is not finite: training stopped")

    def _end(self, reason):
        self.ended = reason
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


def _learning_rate(config):
    if config.schedule == "constant":
        return config.learning_rate
    if config.schedule == "cosine":
        return Cosine(config.learning_rate, config.warmup, config.updates)
    return InverseSquareRoot(config.learning_rate, config.warmup)


def _strategy(name):
    return tf.distribute.MirroredStrategy() if name == "mirrored" else tf.distribute.get_strategy()


def _watched(cluster: Cluster | None):
    return contextlib.nullcontext() if cluster is None else cluster.watch()


@contextlib.contextmanager
def _precision(policy):
    """Builds layers under a data type policy and puts the former one back."""
    former = keras.mixed_precision.global_policy()
    keras.mixed_precision.set_global_policy(policy)
    try:
        yield
    finally:
        keras.mixed_precision.set_global_policy(former)
