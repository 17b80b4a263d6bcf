"""Training translation models."""

import dataclasses
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

from tfcompress.errors import InputError, InputWarning
from tfcompress.models import Seq2SeqConfig, Seq2SeqTransformer
from tfcompress.models.decoding import greedy_translate
from tfcompress.models.transfer import transfer_weights
from tfcompress.text.batching import (
    PairSource,
    TokenizedPairs,
    evaluation_dataset,
    training_dataset,
)
from tfcompress.text.tokenizer import Tokenizer
from tfcompress.training.accumulation import crossentropy
from tfcompress.training.batch_options import batch_options
from tfcompress.training.bleu_callback import BleuCallback
from tfcompress.training.config import TrainingConfig
from tfcompress.training.distillation import Distillation
from tfcompress.training.guided_alignment import GuidedAlignment
from tfcompress.training.losses import LabelSmoothedCrossentropy
from tfcompress.training.trainer import run_training
from tfcompress.training.validation_loss import ValidationLoss


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
    pairs: PairSource,
    validation: Validation,
    config: TrainingConfig,
    folder: str | Path,
    *,
    start: Seq2SeqTransformer | None = None,
    teacher: Seq2SeqTransformer | None = None,
    verbose: int = 1,
    log: Callable[[str], object] = print,
) -> tuple[Seq2SeqTransformer, list[dict]]:
    """Trains a model with `model.fit`; called again on the same folder, it goes on.

    Args:
        model_config: The model.
        pairs: The tokenized training corpus: `TokenizedPairs`, or for one of any size
            `CachedPairs` or a `Mixture`; aligned for `config.guided_alignment`.
        validation: Validation text; its loss and BLEU are taken every `evaluate_every` updates.
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
        InputError: If no training pair is short enough, pairs that should be are not aligned,
            layers should be replaced that have no successors, the loss is not finite before the
            first evaluation, or the saved state is damaged.
    """
    task = _Translation(model_config, pairs, validation)
    return run_training(
        task, config, folder, start=start, teacher=teacher, verbose=verbose, log=log
    )


class _Translation:
    """Translation as a task of the trainer."""

    def __init__(self, model_config, pairs, validation):
        self.model_config = model_config
        self.pad_label = model_config.pad_id
        self._pairs = pairs
        self._validation = validation
        self._transformer: Seq2SeqTransformer | None = None

    def new_model(self, start=None):
        transformer = Seq2SeqTransformer(self.model_config)
        if start is not None:
            transfer_weights(start, transformer)
        transformer.set_word_starts(self._validation.source_tokenizer.word_starts)
        self._transformer = transformer
        return transformer

    def loss(self, config):
        return LabelSmoothedCrossentropy(config.label_smoothing, self.pad_label)

    def objective(self, model, config):
        return self._guided(crossentropy(model, self.loss(config)), model, config)

    def distillation(self, student, teacher, config):
        settings = dataclasses.asdict(config.distillation)
        objective = Distillation(student, teacher, self.loss(config), **settings)
        return self._guided(objective, student.model, config)

    def _guided(self, objective, model, config):
        if config.guided_alignment is None or self._transformer is None:
            return objective
        settings = dataclasses.asdict(config.guided_alignment)
        return GuidedAlignment(objective, self._transformer, model=model, **settings)

    def metrics(self, config):
        return ("val_loss",) if config.evaluate_sentences == 0 else ("val_bleu", "val_loss")

    def batches(self, config, done):
        self._check_lengths(self._pairs, "training")
        return training_dataset(
            self._pairs,
            seed=config.seed,
            start_step=done,
            accumulate=config.accumulate,
            alignment=config.guided_alignment is not None,
            **self._batch_options(config),
        )

    def evaluations(self, compressed, config):
        validation = self._validation
        held_out = TokenizedPairs.from_corpus(
            validation.source_tokenizer,
            validation.sources,
            validation.references,
            target_tokenizer=validation.target_tokenizer,
        )
        self._check_lengths(held_out, "validation")
        held_out = evaluation_dataset(held_out, **self._batch_options(config))
        callbacks = [ValidationLoss(compressed.model, self.pad_label, held_out)]
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
        return callbacks

    def _check_lengths(self, pairs, split):
        """Says how many pairs are left out; refuses to leave out all."""
        max_length = batch_options(self.model_config)["max_length"]
        left_out = pairs.left_out(max_length)
        limits = "`max_source_length` of {} and `max_target_length` of {}".format(*max_length)
        if left_out == len(pairs):
            raise InputError(
                f"Every {split} pair is longer than the model takes. Received: limits of "
                f"{limits}. Raise them."
            )
        if left_out:
            effect = "" if split == "training" else " of the loss"
            warnings.warn(
                f"{left_out:,} of {len(pairs):,} {split} pairs are left out{effect}, as a side has "
                f"more tokens, with its end, than the model takes ({limits})",
                InputWarning,
                stacklevel=2,
            )

    def _batch_options(self, config):
        return {"batch_tokens": config.batch_tokens, **batch_options(self.model_config)}


def _translator(compressed, validation) -> Callable[[Sequence[str]], list[str]]:
    tokenizers = (validation.source_tokenizer, validation.target_tokenizer)
    return lambda sources: greedy_translate(compressed.plain(), *tokenizers, sources)
