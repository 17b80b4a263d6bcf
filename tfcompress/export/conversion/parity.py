"""Compares a bundle with the model that it was made from."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfcompress.errors import InputError
from tfcompress.export.conversion.samples import check_ids, random_ids
from tfcompress.export.errors import ExportError
from tfcompress.models import Seq2SeqConfig, Seq2SeqTransformer
from tfcompress.models.decoding import beam_decode, target_limits
from tfcompress.runtime import Translator, open_bundle, open_engine

# Two logits this close may change places with the order of additions.
TIE = 1e-4
_TOLERANCE, _RELATIVE_TOLERANCE = 1e-3, 1e-4
_RANDOM_LENGTHS = (1, 2, 3, 5, 8, 13, 21)
# Cells of logits that are compared at once.
_BATCH_CELLS = 1 << 24
_BEAM_SIZE, _BEAM_SAMPLES, _BEAM_LENGTH = 4, 2, 8


def check_samples(
    name: str, samples: Sequence[Sequence[int]], config: Seq2SeqConfig
) -> list[list[int]]:
    """Returns sentences as lists of ids.

    Args:
        name: What the argument is called.
        samples: Source token ids of each sentence, ending with `eos_id`.
        config: The model's.

    Raises:
        InputError: If there is no sentence, or one is no list of ids, empty, too long, does not end
            or has ids outside the vocabulary.
    """
    samples = check_ids(
        name,
        samples,
        max_length=config.max_source_length,
        vocabulary_size=config.source_vocabulary_size,
    )
    for number, sample in enumerate(samples):
        if sample[-1] != config.eos_id:
            raise InputError(
                f"sentence {number} of `{name}` ends with {sample[-1]}; end it with eos_id"
            )
    return samples


def random_samples(config: Seq2SeqConfig) -> list[list[int]]:
    """Returns random sentences of several lengths.

    Args:
        config: The model's.
    """
    lengths = {min(length, config.max_source_length) for length in _RANDOM_LENGTHS}
    lengths = [length - 1 for length in sorted(lengths | {config.max_source_length})]
    special = (config.pad_id, config.bos_id, config.eos_id)
    found = random_ids(lengths, config.source_vocabulary_size, special)
    return [[*ids, config.eos_id] for ids in found]


def compare(
    transformer: Seq2SeqTransformer, folder: Path, samples: list[list[int]]
) -> dict[str, Any]:
    """Runs a bundle and the model it was made from on the same sentences.

    The bundle translates each sample greedily. Then the model's training graph scores every
    prefix of that translation, so that one choice that differs does not make all later ones
    differ. In float32, beam search is compared too, on the shortest samples.

    Args:
        transformer: The model, in float32.
        folder: The bundle.
        samples: Source token ids, ending with `eos_id`.

    Returns:
        Figures: `samples`; `tokens`, the number of choices; `identical`, the part of them that
        the model makes too; `ties`, the choices among the others between logits closer than
        1e-4; `max_logit_difference`; `logit_tolerance`; `mean_log_probability_difference`, of
        the chosen tokens. In float32 also `beam_samples`, and `beam_identical`, how many of them
        give the same translations (or ones of equal score).
    """
    bundle = open_bundle(folder, verify=False)
    # Python's runtime is the plainer one; the native one is needed where Python's lacks operations.
    engine = open_engine(bundle, native=bool(bundle.custom_ops))
    limits = target_limits(transformer.config, np.array([len(sample) for sample in samples]), None)
    figures = []
    for batch in _batches(samples, limits, transformer.config.target_vocabulary_size):
        targets, ours = [], []
        for i in batch:
            ids = samples[i][:-1]
            # A blank sentence is not searched for; its logits are compared all the same.
            limits[i] = limits[i] if ids else 1
            target = engine.search(ids, max_length=int(limits[i]))[0].ids if ids else []
            targets.append(target)
            ours.append(engine.logits(ids, target))
        theirs = _model_logits(transformer, [samples[i] for i in batch], targets)
        for i, *sample in zip(batch, targets, ours, theirs):
            figures.append(_compare_choices(*sample, transformer.config, int(limits[i])))
    engine.close()
    beams = {}
    if bundle.manifest["quantization"] == "float32":
        beams = _compare_beams(transformer, folder, samples)
    totals = {name: [figure[name] for figure in figures] for name in figures[0]}
    tokens = sum(totals["tokens"])
    return {
        "samples": len(samples),
        "tokens": tokens,
        "identical": sum(totals["identical"]) / tokens if tokens else 1.0,
        "ties": sum(totals["ties"]),
        "max_logit_difference": max(totals["max_logit_difference"]),
        "logit_tolerance": max(totals["logit_tolerance"]),
        "mean_log_probability_difference": sum(totals["log_probability_difference"])
        / max(tokens, 1),
        **beams,
    }


def check(figures: dict[str, Any], quantization: str) -> None:
    """Makes sure that a bundle computes what its model does.

    Args:
        figures: What `compare` returned.
        quantization: The bundle's. Only float32 must be the same; for others it is enough that
            results are finite.

    Raises:
        ExportError: If it does not.
    """
    difference = figures["max_logit_difference"]
    if not np.isfinite(difference):
        raise ExportError("the exported model gives logits that are not finite; check its weights")
    if quantization != "float32":
        return
    different = round((1 - figures["identical"]) * figures["tokens"]) - figures["ties"]
    if different:
        raise ExportError(
            f"the exported model chooses {different} of {figures['tokens']} tokens unlike the "
            f"Keras model (logits differ by up to {difference:.2g}); a layer's `step` does not "
            "compute what its `call` does"
        )
    if difference > figures["logit_tolerance"]:
        raise ExportError(
            f"the exported model's logits differ from the Keras model's by up to {difference:.2g}; "
            "a layer's `step` does not compute what its `call` does"
        )
    if figures["beam_identical"] < figures["beam_samples"]:
        raise ExportError(
            "the exported model's beam search finds other translations than the Keras model's; "
            "a layer's cache does not follow its beam"
        )


def _batches(samples, limits, vocabulary_size):
    """Yields indices of samples of one length, unpadded, whose logits fit into memory together."""
    batch = []
    lengths = [len(sample) for sample in samples]
    for i in np.argsort(lengths, kind="stable"):
        is_full = (len(batch) + 1) * limits[i] * vocabulary_size > _BATCH_CELLS
        if batch and (is_full or lengths[i] != lengths[batch[0]]):
            yield batch
            batch = []
        batch.append(i)
    yield batch


def _model_logits(transformer, sources, targets):
    """Returns the training graph's logits after every prefix of each target."""
    config = transformer.config
    inputs = [
        _padded(sources, config.pad_id),
        _padded([[config.bos_id, *target] for target in targets], config.pad_id),
    ]
    return transformer.model(inputs, training=False).numpy()


def _padded(rows, pad_id):
    padded = np.full((len(rows), max(map(len, rows))), pad_id, np.int32)
    for i, row in enumerate(rows):
        padded[i, : len(row)] = row
    return padded


def _compare_choices(target, ours, theirs, config, limit):
    """Compares the choices of one translation; `theirs` may be padded."""
    theirs = theirs[: len(ours)]
    chosen = np.array([*target, config.eos_id])
    if len(chosen) == limit:  # the last end mark was no choice
        chosen = chosen[:-1]
    rows = np.arange(len(chosen))
    differences = _log_softmax(ours)[rows, chosen] - _log_softmax(theirs)[rows, chosen]
    allowed = theirs[rows].copy()
    allowed[:, [config.pad_id, config.bos_id]] = -np.inf
    gaps = allowed.max(axis=1, initial=-np.inf) - allowed[rows, chosen]
    identical = allowed.argmax(axis=1) == chosen if len(rows) else rows
    largest = np.abs(theirs).max()
    return {
        "tokens": len(chosen),
        "identical": int(np.sum(identical)),
        "ties": int(np.sum(~identical & (gaps < TIE))) if len(rows) else 0,
        "max_logit_difference": float(np.abs(ours - theirs).max()),
        "logit_tolerance": float(_TOLERANCE + _RELATIVE_TOLERANCE * largest),
        "log_probability_difference": float(np.abs(differences).sum()),
    }


def _log_softmax(logits):
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def _compare_beams(transformer, folder, samples):
    samples = sorted((s for s in samples if len(s) > 1), key=len)[:_BEAM_SAMPLES]
    options = {"beam_size": _BEAM_SIZE, "n_best": _BEAM_SIZE, "max_length": _BEAM_LENGTH}
    identical = 0
    with Translator(folder, verify=False) as translator:
        ours = translator.translate_ids([sample[:-1] for sample in samples], **options)
    for sample, hypotheses in zip(samples, ours):
        expected = beam_decode(transformer, sample, **options)
        identical += len(hypotheses) == len(expected) and all(
            a.ids == b.token_ids or abs(a.score - b.score) < TIE
            for a, b in zip(hypotheses, expected)
        )
    return {"beam_samples": len(samples), "beam_identical": identical}
