"""Training a translation model so that it can be interrupted at any time."""

import contextlib
import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.expressions import compile_expression
from tfcompress.interrupts import Interrupts
from tfcompress.models import Seq2SeqConfig, Seq2SeqTransformer
from tfcompress.models.copying import copy_layers
from tfcompress.models.decoding import greedy_translate
from tfcompress.models.transfer import transfer_weights
from tfcompress.text.batching import TokenizedPairs, evaluation_dataset, training_dataset
from tfcompress.text.tokenizer import Tokenizer
from tfcompress.training.accumulation import AccumulatingModel, crossentropy, grouped
from tfcompress.training.bleu_callback import BleuCallback
from tfcompress.training.checkpoints import TrainingState, parameters
from tfcompress.training.compression import compression, load_methods
from tfcompress.training.config import TrainingConfig
from tfcompress.training.distillation import Distillation
from tfcompress.training.layer_drop_schedule import LayerDropSchedule
from tfcompress.training.losses import LabelSmoothedCrossentropy
from tfcompress.training.schedules import Cosine, InverseSquareRoot
from tfcompress.training.theseus_replacer import TheseusReplacer


@dataclasses.dataclass(frozen=True)
class Validation:
    """What a model in training is judged on.

    Attributes:
        sources: Source sentences.
        references: Their translations.
        source_tokenizer: Tokenizer of the source.
        target_tokenizer: Tokenizer of the target.
        tokenize: sacrebleu's tokenization.
        lowercase: Whether BLEU ignores case.
    """

    sources: list[str]
    references: list[str]
    source_tokenizer: Tokenizer
    target_tokenizer: Tokenizer
    tokenize: str = "13a"
    lowercase: bool = False


def train(
    model_config: Seq2SeqConfig,
    pairs: TokenizedPairs,
    validation: Validation,
    config: TrainingConfig,
    folder: str | Path,
    *,
    start: Seq2SeqTransformer | None = None,
    teacher: Seq2SeqTransformer | None = None,
    verbose: int = 1,
) -> tuple[Seq2SeqTransformer, list[dict]]:
    """Trains a model with `model.fit`; called again on the same folder, it goes on.

    Args:
        model_config: The model.
        pairs: The tokenized training corpus.
        validation: Validation text; its loss and BLEU are taken every `evaluate_every` updates.
        config: How to train.
        folder: Keeps the state of training and TensorBoard logs.
        start: A trained model whose weights to begin with, wherever names and shapes are the same.
        teacher: What `config.distillation` learns from.
        verbose: 1 for a progress bar, 2 for a line an evaluation, 0 for silence.

    Returns:
        The trained model in float32, with the averaged weights of the last evaluations, and the
        figures of every evaluation.

    Raises:
        InputError: If no training pair is short enough, layers should be replaced that have no
            successors, or the saved state is damaged.
    """
    folder = Path(folder)
    load_methods(config)
    if config.replacing is not None and not _has_successors(model_config):
        raise InputError(
            "`replacing` needs a model with successors (received none); set `successors` of the "
            "encoder or decoder"
        )
    keras.utils.set_random_seed(config.seed)
    if not config.updates:
        return _new(model_config, validation, start), []
    strategy = _strategy(config.strategy)
    with strategy.scope(), _precision(config.precision):
        transformer = _new(model_config, validation, start)
        _freeze(transformer, config.train_only)
        compressed = compression(transformer, config)
        model = _compiled(transformer, compressed.model, config, teacher)
        state = TrainingState(
            folder,
            compressed.model,
            model.optimizer,
            average=config.average,
            helpers=getattr(model, "helpers", ()),
        )
        done = state.restore()
        _fit(compressed, model, pairs, validation, config, folder, state, done, verbose)
        averaged = state.averaged_weights()
        for variable, value in zip(parameters(compressed.model), averaged, strict=True):
            variable.assign(value)
    trained = _new(model_config, validation)
    copy_layers(compressed.plain().model, trained.model)
    return trained, state.history


def _new(config, validation, start=None):
    """A model that knows the tokenizer's words, with the weights of another where they fit."""
    transformer = Seq2SeqTransformer(config)
    if start is not None:
        transfer_weights(start, transformer)
    transformer.set_word_starts(validation.source_tokenizer.word_starts)
    return transformer


def _has_successors(config):
    return any(stack.successors is not None for stack in (config.encoder, config.decoder))


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


def _compiled(transformer, model, config, teacher):
    pad_id = transformer.config.pad_id
    loss = LabelSmoothedCrossentropy(config.label_smoothing, pad_id)
    optimizer = keras.optimizers.Adam(
        _learning_rate(config),
        beta_1=config.beta_1,
        beta_2=config.beta_2,
        epsilon=1e-9,
        global_clipnorm=config.clip_norm,
    )
    if config.distillation is not None:
        if teacher is None:
            raise InputError("`distillation` needs a teacher (received none)")
        settings = dataclasses.asdict(config.distillation)
        objective = Distillation(transformer, teacher, loss, **settings)
        model = AccumulatingModel(model, objective, pad_id, objective.helpers)
        model.compile(optimizer=optimizer)
    elif config.accumulate > 1:
        if config.strategy != "none" and hasattr(keras, "ops"):
            raise InputError(
                f"`accumulate` {config.accumulate} with `strategy` {config.strategy} needs "
                "Keras 2; set TF_USE_LEGACY_KERAS=1 or accumulate 1"
            )
        model = AccumulatingModel(model, crossentropy(model, loss), pad_id)
        model.compile(optimizer=optimizer)
    else:
        model.compile(optimizer=optimizer, loss=loss)
    model.optimizer.build(model.trainable_variables)
    return model


def _fit(compressed, model, pairs, validation, config, folder, state, done, verbose):
    every = config.evaluate_every
    if done >= config.updates or _out_of_patience(state.history, config.patience):
        return
    limits = compressed.plain().config
    max_length = min(limits.max_source_length, limits.max_target_length)
    options = {"batch_tokens": config.batch_tokens, "max_length": max_length}
    ids = {"bos_id": limits.bos_id, "eos_id": limits.eos_id, "pad_id": limits.pad_id}
    if pairs.left_out(max_length) == len(pairs):
        raise InputError(
            f"every training pair is longer than the model's limit of {max_length} tokens; raise "
            "`max_source_length` and `max_target_length`"
        )
    dataset = training_dataset(
        pairs, seed=config.seed, start_step=done, accumulate=config.accumulate, **options, **ids
    )
    if isinstance(model, AccumulatingModel):
        dataset = grouped(dataset, config.accumulate)
    held_out = TokenizedPairs.from_corpus(
        validation.source_tokenizer,
        validation.sources,
        validation.references,
        target_tokenizer=validation.target_tokenizer,
    )
    callbacks = compressed.callbacks + _schedules(limits, config)
    held_out = evaluation_dataset(held_out, **options, **ids)
    callbacks.append(_Validation(compressed.model, limits.pad_id, held_out))
    if config.evaluate_sentences != 0:
        count = config.evaluate_sentences
        callbacks.append(
            BleuCallback(
                _translator(compressed, validation),
                validation.sources[:count],
                validation.references[:count],
                tokenize=validation.tokenize,
                lowercase=validation.lowercase,
            )
        )
    callbacks.append(_Save(state, config))
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
        callbacks.append(TheseusReplacer(**dataclasses.asdict(config.replacing)))
    for side in ("encoder", "decoder"):
        drop = getattr(model_config, side).layer_drop
        if drop.learned:
            callbacks.append(LayerDropSchedule(float(np.mean(drop.rate)), layers=f"^{side}_"))
    return callbacks


class _Validation(keras.callbacks.Callback):
    """Adds the unsmoothed loss on the validation text to the logs, as `val_loss`."""

    def __init__(self, model, pad_id, dataset):
        super().__init__()
        loss = LabelSmoothedCrossentropy(0.0, pad_id)
        self.dataset = dataset

        ids = tf.TensorSpec([None, None], tf.int32)
        inputs = {"source_token_ids": ids, "target_token_ids": ids}

        @tf.function(input_signature=[inputs, ids])
        def batch_loss(inputs, labels):
            tokens = tf.math.count_nonzero(labels != pad_id, dtype=tf.float32)
            logits = model(inputs, training=False)
            return loss.call(labels, logits) * tokens, tokens

        self.batch_loss = batch_loss

    def on_epoch_end(self, epoch, logs=None):
        sums = [self.batch_loss(*batch) for batch in self.dataset]
        total, tokens = np.sum([[float(a), float(b)] for a, b in sums], axis=0)
        if logs is not None:
            logs["val_loss"] = float(total / tokens)


class _Save(keras.callbacks.Callback):
    """Saves the state after every evaluation and stops when patience runs out."""

    def __init__(self, state, config):
        super().__init__()
        self.state = state
        self.config = config
        self.started = time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        now = time.monotonic()
        figures = {"update": (epoch + 1) * self.config.evaluate_every}
        figures |= {name: float(value) for name, value in (logs or {}).items()}
        figures["seconds"] = round(now - self.started, 3)
        self.started = now
        self.state.save(figures)
        if _out_of_patience(self.state.history, self.config.patience):
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


def _out_of_patience(history, patience):
    if patience is None or not history:
        return False
    scores = [entry["val_bleu"] for entry in history]
    return len(scores) - 1 - int(np.argmax(scores)) >= patience


def _translator(compressed, validation) -> Callable[[list[str]], list[str]]:
    tokenizers = (validation.source_tokenizer, validation.target_tokenizer)
    return lambda sources: greedy_translate(compressed.plain(), *tokenizers, sources)


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
