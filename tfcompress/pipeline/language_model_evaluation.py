"""Quality of a language model's bundle on a test set."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from tfcompress.errors import InputError
from tfcompress.pipeline.overlong import warn_overlong

_SAMPLES = 1000


def evaluate_language_model(
    bundle: str | Path,
    texts: Sequence[str],
    *,
    join: bool = False,
    num_threads: int = 1,
    progress: bool = False,
) -> dict:
    """Scores a bundle by its perplexity.

    Perplexities a token are compared between models of one tokenizer only; those a word, and the
    bits a byte, between all.

    Args:
        bundle: The bundle's folder.
        texts: The texts, with end marks that count as tokens, words and bytes of their own.
        join: Whether texts that follow one another share rows, so that the model sees what stands
            before a text.
        num_threads: Threads of the runtime.
        progress: Whether to show a progress bar on standard error.

    Returns:
        `perplexity` and its 95% `interval` (by bootstrap over the texts), `word_perplexity` and
        `bits_per_byte`; the numbers of `examples`, `tokens`, `words` and `bytes`; `join`; the
        `log_probabilities` of the texts; and without `join`, `overlong`, the numbers (from 1) of
        the texts that were scored in several rows, which a warning says too.

    Raises:
        InputError: If there are no texts, or the bundle is damaged or has no tokenizer.

    Example:

    >>> tfc.pipeline.evaluate_language_model("phrases", ["a dog ."])["perplexity"] > 1
    True
    """
    from tfcompress.runtime import TextGenerator

    if not texts:
        raise InputError("There must be texts to score. Received: none.")
    with TextGenerator(bundle, num_threads=num_threads) as model:
        limit, eos = model.bundle.max_length, model.bundle.ids.eos
        rows = [[*ids, eos] for ids in model.tokenize(texts)]
        lengths = np.array([len(row) for row in rows])
        if join:
            flat = [token for row in rows for token in row]
            rows = [flat[i : i + limit] for i in range(0, len(flat), limit)]
        bar = tqdm(rows, unit="text", disable=not progress, leave=False)
        scores = np.concatenate([model.score_ids([row])[0].log_probabilities for row in bar])
    starts = np.cumsum(lengths) - lengths
    sums = np.add.reduceat(scores.astype(np.float64), starts)
    overlong = [] if join else (1 + np.flatnonzero(lengths > limit)).tolist()
    consequence = f"scored in parts, as they have more tokens with their end than {limit}"
    warn_overlong(overlong, len(texts), "texts", consequence)
    words = sum(len(text.split()) + 1 for text in texts)
    count = sum(len(text.encode()) + 1 for text in texts)
    total = sums.sum()
    return {
        "perplexity": _perplexity(total, lengths.sum()),
        "interval": _interval(sums, lengths),
        "word_perplexity": _perplexity(total, words),
        "bits_per_byte": float(-total / math.log(2) / count),
        "examples": len(texts),
        "tokens": int(lengths.sum()),
        "words": words,
        "bytes": count,
        "join": join,
        "log_probabilities": sums.tolist(),
        "overlong": overlong,
    }


def _perplexity(total, count):
    # Beyond 6e17, it says no more; reports hold 1e18.
    return float(np.exp(min(-total / count, 41.0)))


def _interval(sums, lengths):
    """The 95% interval of the perplexity, of texts that are drawn again."""
    rng = np.random.default_rng(0)
    means = []
    for _ in range(_SAMPLES):
        drawn = rng.integers(len(sums), size=len(sums))
        means.append(sums[drawn].sum() / lengths[drawn].sum())
    return [_perplexity(mean, 1) for mean in np.quantile(means, [0.975, 0.025])]
