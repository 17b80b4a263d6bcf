"""Performs a recipe's surgery."""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from tfcompress import surgery
from tfcompress.errors import InputError
from tfcompress.expressions import compile_expression
from tfcompress.models import Seq2SeqTransformer, TextEncoder
from tfcompress.pipeline.surgery_recipe import SIDES, SurgeryStep


class Patient(Protocol):
    """A model with what decides which parts of it can go. Made anew by `dataclasses.replace`.

    Attributes:
        transformer: The model.
    """

    transformer: Seq2SeqTransformer | TextEncoder

    def batches(self, count: int) -> Iterable[tuple[Any, Any]]:
        """Returns inputs and labels of the first training examples.

        Args:
            count: How many.
        """
        ...

    def loss(self) -> Callable:
        """Returns the loss, a function of labels and outputs."""
        ...

    def query_mask(self) -> Callable | None:
        """Returns which query positions count for heads, as `head_importance` takes it."""
        ...

    def score(self, count: int) -> Callable[[Any], float]:
        """Returns a function that gives a model's score on validation examples.

        Args:
            count: How many.
        """
        ...

    def token_counts(self) -> Sequence[float]:
        """Returns how often the training examples have each token."""
        ...

    def trimmed(self) -> "Patient":
        """Returns the patient without the tokens that the training examples do not have."""
        ...


def operate(patient: Patient, steps: Sequence[SurgeryStep]) -> Patient:
    """Performs operations one after another.

    Args:
        patient: What to operate on; it stays as it is.
        steps: The operations.

    Returns:
        The patient with its new model.

    Raises:
        InputError: If an operation is impossible for the model.
    """
    for step in steps:
        patient = _OPERATIONS[step.name](patient, step.settings)
    return patient


def _changed(patient, transformer):
    return dataclasses.replace(patient, transformer=transformer)


def _prune_heads(patient, settings):
    total = sum(a.num_heads for a in surgery.attention_layers(patient.transformer).values())
    wanted = int(total * settings.fraction)
    for step in range(settings.steps):
        transformer = patient.transformer
        attentions = surgery.attention_layers(transformer)
        left = sum(a.num_heads for a in attentions.values())
        count = left - (total - wanted * (step + 1) // settings.steps)
        scores = surgery.head_importance(
            transformer.model,
            patient.batches(settings.sentences),
            patient.loss(),
            attention_layers=list(attentions.values()),
            query_mask=patient.query_mask(),
        )
        if settings.protect is not None:
            protected = compile_expression("prune_heads.protect", settings.protect)
            scores = {name: s for name, s in scores.items() if not protected.search(name)}
        heads = surgery.heads_to_prune(scores, count, minimum_per_layer=settings.minimum_per_layer)
        patient = _changed(patient, surgery.prune_heads(transformer, drop=heads))
    return patient


def _drop_layers(patient, settings):
    transformer = patient.transformer
    keep, drop = dict(settings.keep or {}), dict(settings.drop or {})
    searched = {side: getattr(settings, f"search_{side}") for side in SIDES}
    searched = {side: count for side, count in searched.items() if count is not None}
    for side in SIDES:
        stack = getattr(transformer.config, side, None)
        if stack is None and side in {*keep, *drop, *searched}:
            raise InputError(f"`drop_layers`: the model has no {side}; leave its settings out")
        if stack is not None and settings.rate and side not in {*keep, *drop, *searched}:
            keep[side] = surgery.every_other(stack.num_layers, rate=settings.rate)
    transformer = surgery.drop_layers(transformer, keep=keep, drop=drop)
    if searched:
        score = patient.score(settings.sentences)
        keep = surgery.search_layers(transformer, score, **searched)
        transformer = surgery.drop_layers(transformer, keep=keep)
    return _changed(patient, transformer)


def _take_successors(patient, settings):
    return _changed(patient, surgery.take_successors(patient.transformer))


def _factorize_embedding(patient, settings):
    counts = patient.token_counts() if settings.weigh_tokens else None
    smaller, _ = surgery.factorize_embedding(
        patient.transformer, settings.embedding_dim, token_counts=counts
    )
    return _changed(patient, smaller)


def _trim_vocabulary(patient, settings):
    return patient.trimmed()


def _narrow_feed_forward(patient, settings):
    widths = {"encoder": settings.encoder, "decoder": settings.decoder}
    widths = {side: width for side, width in widths.items() if width is not None}
    inputs = (inputs for inputs, _ in patient.batches(settings.sentences))
    return _changed(patient, surgery.narrow_feed_forward(patient.transformer, widths, inputs))


def _cache_outputs(patient, settings):
    return _changed(patient, surgery.cache_outputs(patient.transformer, prefer=settings.prefer))


_OPERATIONS = {
    "prune_heads": _prune_heads,
    "drop_layers": _drop_layers,
    "take_successors": _take_successors,
    "factorize_embedding": _factorize_embedding,
    "trim_vocabulary": _trim_vocabulary,
    "narrow_feed_forward": _narrow_feed_forward,
    "cache_outputs": _cache_outputs,
}
