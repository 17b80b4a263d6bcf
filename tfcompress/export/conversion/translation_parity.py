"""Compares a translation model's bundle with the model that it was made from."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tfcompress.export.conversion import parity
from tfcompress.export.errors import ExportError
from tfcompress.models import Seq2SeqTransformer
from tfcompress.models.alignment import alignment_attention, alignment_of
from tfcompress.models.decoding import beam_decode, target_limits

# Two logits this close may change places with the order of additions.
TIE = 1e-4
_TOLERANCE, _RELATIVE_TOLERANCE = 1e-3, 1e-4
# Cells of logits that are compared at once.
_BATCH_CELLS = 1 << 24
_BEAM_SIZE, _BEAM_SAMPLES, _BEAM_LENGTH = 4, 2, 8


def compare(model: Seq2SeqTransformer, folder: Path, samples: list[list[int]]) -> dict[str, Any]:
    """Runs a bundle and the model that it was made from on the same sentences.

    The bundle translates each sample greedily. Then the model's training graph scores every
    prefix of that translation, so that one token that differs does not make all later ones
    differ. In float32, beam search is compared too, on the shortest samples.

    Args:
        model: The model, in float32.
        folder: The bundle.
        samples: Source token ids, ending with `eos_id`.

    Returns:
        What `parity.compare` does, over the logits; and `tokens`, the number of tokens chosen;
        `identical`, the part of them that the model makes too; `ties`, those among the others
        between logits closer than 1e-4; `mean_log_probability_difference`, of the chosen tokens;
        with alignments `max_alignment_difference`, of their weights. In
        float32 also `beam_samples`, and `beam_identical`, how many of them give the same
        translations (or ones of equal score).
    """

    def measure(bundle, engine):
        aligns = "alignments" in bundle.manifest["decoder"]
        metrics = _compare_greedy(model, engine, samples, aligns)
        if bundle.manifest["quantization"] == "float32":
            metrics |= _compare_beams(model, engine, samples)
        return metrics

    return parity.compare(folder, measure, len(samples))


def check(metrics: Mapping[str, Any], quantization: str) -> None:
    """Makes sure that a bundle computes what its model does.

    Args:
        metrics: What `compare` returned.
        quantization: The bundle's. Only float32 must be the same; for others it is enough that
            results are finite.

    Raises:
        ExportError: If it does not.
    """
    parity.check_finite(metrics)
    if quantization != "float32":
        return
    remedy = "Let the layers' `step` compute what their `call` does"
    for one in parity.runtimes(metrics):
        different = round((1 - one["identical"]) * one["tokens"]) - one["ties"]
        if different:
            raise ExportError(
                "The exported model must choose the Keras model's tokens. Received: "
                f"{different} of {one['tokens']} that differ, and logits by up to "
                f"{one['max_difference']:.2g}. {remedy}."
            )
    parity.check_close(metrics, remedy)
    for one in parity.runtimes(metrics):
        if one.get("max_alignment_difference", 0) > _TOLERANCE:
            raise ExportError(
                "The exported model must align tokens as the Keras model does. Received: weights "
                f"that differ by up to {one['max_alignment_difference']:.2g}. {remedy}."
            )
        if one["beam_identical"] < one["beam_samples"]:
            raise ExportError(
                "The exported model's beam search must find the Keras model's translations. "
                f"Received: {one['beam_identical']} of {one['beam_samples']}. Let the layers' "
                "state follow their hypotheses."
            )


def _compare_greedy(model, engine, samples, aligns):
    limits = target_limits(model.config, np.array([len(sample) for sample in samples]), None)
    rows, differences = [], []
    for batch in _batches(samples, limits, model.config.target_vocabulary_size):
        targets, actual, alignments = [], [], []
        for i in batch:
            ids = samples[i][:-1]
            # A blank sentence is not searched for; its logits are compared all the same.
            limits[i] = limits[i] if ids else 1
            best = _search(engine, ids, int(limits[i]), aligns)
            target = best.ids if best else []
            targets.append(target)
            alignments.append(best and best.alignment)
            actual.append(engine.logits(ids, target))
        expected, weights = _model_logits(model, [samples[i] for i in batch], targets, aligns)
        for i, target, *logits in zip(batch, targets, actual, expected):
            rows.append(_compare_tokens(target, logits, model.config, int(limits[i])))
        differences += [
            float(np.abs(given - own[: len(given)]).max())
            for given, own in zip(alignments, weights)
            if given is not None
        ]
    totals = {name: [row[name] for row in rows] for name in rows[0]}
    tokens = sum(totals["tokens"])
    return {
        "tokens": tokens,
        "identical": sum(totals["identical"]) / tokens if tokens else 1.0,
        "ties": sum(totals["ties"]),
        "max_difference": max(totals["max_difference"]),
        "tolerance": max(totals["tolerance"]),
        "mean_log_probability_difference": sum(totals["log_probability_difference"])
        / max(tokens, 1),
        **({"max_alignment_difference": max(differences, default=0.0)} if aligns else {}),
    }


def _search(engine, ids, limit, with_scores):
    """The best translation, or None of a blank sentence."""
    return engine.search(ids, max_length=limit, with_scores=with_scores)[0] if ids else None


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


def _model_logits(model, sources, targets, aligns):
    """Returns the training graph's logits, and alignments, after every prefix of each target."""
    config = model.config
    prefix = [config.bos_id, *config.target_prefix]
    inputs = [
        _padded(sources, config.pad_id),
        _padded([[*prefix, *target] for target in targets], config.pad_id),
    ]
    first = len(prefix) - 1
    with contextlib.ExitStack() as stack:
        recorded = aligns and stack.enter_context(
            alignment_attention(model).recording("probabilities")
        )
        logits = model.model(inputs, training=False).numpy()[:, first:]
    if not aligns:
        return logits, []
    return logits, alignment_of(recorded[-1], config.alignment_head).numpy()[:, first:]


def _padded(rows, pad_id):
    padded = np.full((len(rows), max(map(len, rows))), pad_id, np.int32)
    for i, row in enumerate(rows):
        padded[i, : len(row)] = row
    return padded


def _compare_tokens(target, logits, config, limit):
    """Compares the chosen tokens of one translation; `expected` may be padded."""
    actual, expected = logits
    expected = expected[: len(actual)]
    chosen = np.array([*target, config.eos_id])
    if len(chosen) == limit:  # the last end mark was not chosen
        chosen = chosen[:-1]
    rows = np.arange(len(chosen))
    differences = log_softmax(actual)[rows, chosen] - log_softmax(expected)[rows, chosen]
    allowed = expected[rows].copy()
    allowed[:, config.excluded_ids] = -np.inf
    gaps = allowed.max(axis=1, initial=-np.inf) - allowed[rows, chosen]
    identical = allowed.argmax(axis=1) == chosen if len(rows) else rows
    return {
        "tokens": len(chosen),
        "identical": int(np.sum(identical)),
        "ties": int(np.sum(~identical & (gaps < TIE))) if len(rows) else 0,
        "max_difference": float(np.abs(actual - expected).max()),
        "tolerance": tolerance(expected),
        "log_probability_difference": float(np.abs(differences).sum()),
    }


def tolerance(expected: np.ndarray) -> float:
    """Returns how much logits in float32 may differ from the model's.

    Args:
        expected: The model's.
    """
    return float(_TOLERANCE + _RELATIVE_TOLERANCE * np.abs(expected).max())


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Returns the log-probabilities of logits, `[rows, vocabulary_size]`."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def _compare_beams(model, engine, samples):
    samples = sorted((s for s in samples if len(s) > 1), key=len)[:_BEAM_SAMPLES]
    options = {"beam_size": _BEAM_SIZE, "n_best": _BEAM_SIZE, "max_length": _BEAM_LENGTH}
    identical = 0
    for sample in samples:
        actual = engine.search(sample[:-1], **options)
        expected = beam_decode(model, sample, **options)
        identical += len(actual) == len(expected) and all(
            a.ids == b.token_ids or abs(a.score - b.score) < TIE for a, b in zip(actual, expected)
        )
    return {"beam_samples": len(samples), "beam_identical": identical}
