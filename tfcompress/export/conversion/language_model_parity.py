"""Compares a language model's bundle with the model that it was made from."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfcompress.export.conversion import parity
from tfcompress.export.conversion.translation_parity import TIE, log_softmax, tolerance
from tfcompress.export.errors import ExportError
from tfcompress.models import LanguageModel

_BEAM_SIZE, _BEAM_SAMPLES, _BEAM_TOKENS = 4, 2, 8


def compare(model: LanguageModel, folder: Path, samples: list[list[int]]) -> dict[str, Any]:
    """Runs a bundle and the model that it was made from on the same rows.

    Step by step, the bundle gives logits after every prefix of a row; the model's training graph
    gives them at once. The bundle's scores of the row are compared with the model's. In float32,
    beam search continues the shortest samples, and its hypotheses are scored by the model.

    Args:
        model: The model, in float32.
        folder: The bundle.
        samples: Rows of token ids.

    Returns:
        What `parity.compare` does, over the logits; and `tokens`, the number of positions;
        `identical`, the part of them whose most probable token is the model's; `ties`, those among
        the others between logits closer than 1e-4; `mean_log_probability_difference`, of the
        samples' tokens; `score_difference`, the largest of `score` to the model's; and
        `perplexity_ratio`, the bundle's perplexity divided by the model's. In float32 also
        `beam_difference`, the largest of a hypothesis' log-probability to the model's.
    """

    def measure(bundle, engine):
        rows = [_compare_row(model, engine, sample) for sample in samples]
        totals = {name: np.array([row[name] for row in rows]) for name in rows[0]}
        tokens = int(totals["tokens"].sum())
        metrics = {
            "tokens": tokens,
            "identical": float(totals["identical"].sum() / tokens),
            "ties": int(totals["ties"].sum()),
            "max_difference": float(totals["max_difference"].max()),
            "tolerance": float(totals["tolerance"].max()),
            "mean_log_probability_difference": float(totals["differences"].sum() / tokens),
            "score_difference": float(totals["score_difference"].max()),
            "perplexity_ratio": float(np.exp(-totals["gain"].sum() / tokens)),
        }
        if bundle.manifest["quantization"] == "float32":
            metrics["beam_difference"] = _compare_beams(model, engine, samples)
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
    parity.check_close(metrics, remedy)
    for one in parity.runtimes(metrics):
        different = round((1 - one["identical"]) * one["tokens"]) - one["ties"]
        if different:
            raise ExportError(
                "The exported model must prefer the Keras model's tokens. Received: "
                f"{different} of {one['tokens']} that differ. {remedy}."
            )
        # A sum over the tokens of a hypothesis.
        for name, most in (("score_difference", 1), ("beam_difference", _BEAM_TOKENS + 1)):
            if not one[name] <= 2 * most * one["tolerance"]:
                raise ExportError(
                    "The exported model's log-probabilities must be the Keras model's. Received: "
                    f"{name}={one[name]:.2g}. {remedy}, and their state follow its hypotheses."
                )


def _compare_row(model, engine, row):
    config = model.config
    expected = _logits(model, row)
    actual = engine.logits(row[:-1])
    places = np.arange(len(row))
    expected_scores = log_softmax(expected)[places, row]
    scores = engine.score(row)
    allowed = expected.copy(), actual.copy()
    for logits in allowed:
        logits[:, [config.pad_id, config.bos_id]] = -np.inf
    wanted, chosen = (logits.argmax(axis=1) for logits in allowed)
    gaps = allowed[0][places, wanted] - allowed[0][places, chosen]
    differences = log_softmax(actual)[places, row] - expected_scores
    return {
        "tokens": len(row),
        "identical": int(np.sum(chosen == wanted)),
        "ties": int(np.sum((chosen != wanted) & (gaps < TIE))),
        "max_difference": np.abs(actual - expected).max(),
        "tolerance": tolerance(expected),
        "differences": np.abs(differences).sum(),
        "score_difference": np.abs(scores - expected_scores).max(),
        "gain": (scores - expected_scores).sum(),
    }


def _compare_beams(model, engine, samples):
    config, largest = model.config, 0.0
    prompts = sorted((s[:-1] for s in samples), key=len)[:_BEAM_SAMPLES]
    for prompt in prompts:
        count = min(_BEAM_TOKENS, config.max_length - len(prompt) - 1)
        if count < 1:
            continue
        hypotheses = engine.search(
            prompt, max_tokens=count, beam_size=_BEAM_SIZE, n_best=_BEAM_SIZE
        )
        for hypothesis in hypotheses:
            row = [*prompt, *hypothesis.ids, config.eos_id]
            scores = log_softmax(_logits(model, row))[np.arange(len(row)), row]
            difference = scores[len(prompt) :].sum() - hypothesis.log_probability
            largest = max(largest, abs(float(difference)))
    return largest


def _logits(model: LanguageModel, row: Sequence[int]) -> np.ndarray:
    """Returns the training graph's logits of each token of a row."""
    ids = np.array([[model.config.bos_id, *row[:-1]]], np.int32)
    return model.model(ids, training=False).numpy()[0]
