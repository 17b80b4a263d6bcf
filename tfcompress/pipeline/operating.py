"""Performs a recipe's surgery."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from tfcompress import surgery
from tfcompress.expressions import compile_expression
from tfcompress.models import Seq2SeqTransformer
from tfcompress.models.decoding import greedy_translate
from tfcompress.pipeline.surgery_recipe import SurgeryStep
from tfcompress.text import TokenizedPairs, Tokenizer, corpus_bleu, evaluation_dataset
from tfcompress.text.corpora import Corpus
from tfcompress.training import LabelSmoothedCrossentropy

_BATCH_TOKENS = 2048


@dataclass(frozen=True)
class Patient:
    """A model with its tokenizers.

    Attributes:
        transformer: The model.
        tokenizers: Those of source and target, one object twice where they are one.
    """

    transformer: Seq2SeqTransformer
    tokenizers: tuple[Tokenizer, Tokenizer]


def operate(patient: Patient, steps: Sequence[SurgeryStep], data: Corpus) -> Patient:
    """Performs operations one after another.

    Args:
        patient: What to operate on; it stays as it is.
        steps: The operations.
        data: The corpus, whose training and validation text decide what goes.

    Returns:
        The new model with its tokenizers.

    Raises:
        InputError: If an operation is impossible for the model.
    """
    for step in steps:
        patient = _OPERATIONS[step.name](patient, step.settings, data)
    return patient


def _changed(patient, transformer):
    return dataclasses.replace(patient, transformer=transformer)


def _prune_heads(patient, settings, data):
    transformer = patient.transformer
    total = sum(a.num_heads for a in surgery.attention_layers(transformer).values())
    wanted = int(total * settings.fraction)
    for step in range(settings.steps):
        attentions = surgery.attention_layers(transformer)
        left = sum(a.num_heads for a in attentions.values())
        count = left - (total - wanted * (step + 1) // settings.steps)
        scores = surgery.head_importance(
            transformer.model,
            _batches(patient, settings.sentences, data),
            LabelSmoothedCrossentropy(0.0, transformer.config.pad_id),
            attention_layers=list(attentions.values()),
        )
        if settings.protect is not None:
            protected = compile_expression("prune_heads.protect", settings.protect)
            scores = {name: s for name, s in scores.items() if not protected.search(name)}
        heads = surgery.heads_to_prune(scores, count, minimum_per_layer=settings.minimum_per_layer)
        transformer = surgery.prune_heads(transformer, heads)
    return _changed(patient, transformer)


def _drop_layers(patient, settings, data):
    transformer = patient.transformer
    kept = {"encoder": settings.encoder, "decoder": settings.decoder}
    searched = {"encoder": settings.search_encoder, "decoder": settings.search_decoder}
    for side, depths in kept.items():
        if depths is None and settings.rate and searched[side] is None:
            num_layers = getattr(transformer.config, side).num_layers
            kept[side] = surgery.every_other(num_layers, settings.rate)
    transformer = surgery.drop_layers(transformer, **kept)
    if any(count is not None for count in searched.values()):
        sources, references = data.splits["valid"]
        count = settings.sentences

        def score(candidate):
            translations = greedy_translate(candidate, *patient.tokenizers, sources[:count])
            return corpus_bleu(translations, references[:count]).score

        transformer = surgery.drop_layers(
            transformer, **surgery.search_layers(transformer, score, **searched)
        )
    return _changed(patient, transformer)


def _take_successors(patient, settings, data):
    return _changed(patient, surgery.take_successors(patient.transformer))


def _factorize_embedding(patient, settings, data):
    smaller, _ = surgery.factorize_embedding(patient.transformer, settings.embedding_dim)
    return _changed(patient, smaller)


def _trim_vocabulary(patient, settings, data):
    smaller, *tokenizers = surgery.trim_vocabulary(
        patient.transformer, *patient.tokenizers, *data.splits["train"]
    )
    return Patient(smaller, tuple(tokenizers))


def _narrow_feed_forward(patient, settings, data):
    widths = {"encoder": settings.encoder, "decoder": settings.decoder}
    widths = {side: width for side, width in widths.items() if width is not None}
    inputs = (inputs for inputs, _ in _batches(patient, settings.sentences, data))
    return _changed(patient, surgery.narrow_feed_forward(patient.transformer, widths, inputs))


def _cache_outputs(patient, settings, data):
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


def _batches(patient, sentences, data):
    """Batches of the first training pairs."""
    config = patient.transformer.config
    sources, targets = data.splits["train"]
    pairs = TokenizedPairs.from_corpus(
        patient.tokenizers[0],
        sources[:sentences],
        targets[:sentences],
        target_tokenizer=patient.tokenizers[1],
    )
    return evaluation_dataset(
        pairs,
        batch_tokens=_BATCH_TOKENS,
        max_length=min(config.max_source_length, config.max_target_length),
        bos_id=config.bos_id,
        eos_id=config.eos_id,
        pad_id=config.pad_id,
    )
