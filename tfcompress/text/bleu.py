"""BLEU as sacrebleu computes it, with bootstrap confidence intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sacrebleu.metrics.bleu import BLEU

from tfcompress.errors import InputError

TOKENIZERS = ("13a", "none", "intl", "char", "zh")


@dataclass(frozen=True)
class BleuScore:
    """A corpus's BLEU.

    Attributes:
        score: BLEU, from 0 to 100.
        signature: sacrebleu's signature, to be quoted with the score.
        sentences: The number of sentences.
        brevity_penalty: 1 where the hypotheses are as long as the references, less if shorter.
        precisions: The precisions of 1-grams to 4-grams, in per cent.
    """

    score: float
    signature: str
    sentences: int
    brevity_penalty: float
    precisions: tuple[float, float, float, float]


@dataclass(frozen=True)
class PairedComparison:
    """The difference of two systems on the same sentences.

    Attributes:
        difference: BLEU of the first system minus BLEU of the second.
        low: The lower end of the difference's 95% interval.
        high: The upper end.
        p_value: The two-sided probability of a difference at least as large if the systems were
            equally good.
    """

    difference: float
    low: float
    high: float
    p_value: float


def corpus_bleu(
    hypotheses: Sequence[str],
    references: Sequence[str],
    *,
    tokenize: str = "13a",
    lowercase: bool = False,
) -> BleuScore:
    """Computes BLEU of a corpus against one reference a sentence.

    Args:
        hypotheses: The system's translations.
        references: The right translations.
        tokenize: sacrebleu's tokenizer: `"13a"` for plain text, `"none"` for text that is already
            tokenized; also `"intl"`, `"char"` and `"zh"`.
        lowercase: Whether case is ignored.

    Returns:
        The score.

    Raises:
        InputError: The lists are empty or of unequal lengths, or the tokenizer is unknown.

    Example:
        >>> corpus_bleu(["two dogs play in snow"], ["two dogs play in snow"]).score
        100.0...
    """
    metric = _metric(tokenize, lowercase)
    hypotheses, references = _checked(hypotheses, references)
    result = metric.corpus_score(hypotheses, [references])
    return BleuScore(
        score=result.score,
        signature=metric.get_signature().format(),
        sentences=len(hypotheses),
        brevity_penalty=result.bp,
        precisions=tuple(result.precisions),
    )


def bootstrap_interval(
    hypotheses: Sequence[str],
    references: Sequence[str],
    *,
    tokenize: str = "13a",
    lowercase: bool = False,
    samples: int = 1000,
    seed: int = 12345,
) -> tuple[float, float]:
    """Estimates the 95% confidence interval of a BLEU score by resampling sentences.

    Args:
        hypotheses: The system's translations.
        references: The right translations.
        tokenize: As for `corpus_bleu`.
        lowercase: As for `corpus_bleu`.
        samples: The number of resampled corpora.
        seed: Of the resampling.

    Returns:
        The interval's lower and upper end.

    Raises:
        InputError: As for `corpus_bleu`, or there is no sample.

    Example:
        >>> low, high = bootstrap_interval(hypotheses, references)
    """
    metric = _metric(tokenize, lowercase)
    statistics = _statistics(metric, hypotheses, references)
    scores = _scores(metric, _resample(len(statistics), samples, seed) @ statistics)
    return _interval(scores)


def paired_bootstrap(
    hypotheses: Sequence[str],
    other_hypotheses: Sequence[str],
    references: Sequence[str],
    *,
    tokenize: str = "13a",
    lowercase: bool = False,
    samples: int = 1000,
    seed: int = 12345,
) -> PairedComparison:
    """Tests whether two systems differ, by resampling the same sentences for both.

    The p-value is that of Riezler and Maxwell (2005): how often a resampled difference lies as
    far from the resampled mean as the observed difference lies from 0.

    Args:
        hypotheses: The first system's translations.
        other_hypotheses: The second system's translations of the same sentences.
        references: The right translations.
        tokenize: As for `corpus_bleu`.
        lowercase: As for `corpus_bleu`.
        samples: The number of resampled corpora.
        seed: Of the resampling.

    Returns:
        The difference, its 95% interval and its p-value.

    Raises:
        InputError: As for `bootstrap_interval`.

    Example:
        >>> paired_bootstrap(hypotheses, references[::-1], references).p_value < 0.05
        True
    """
    metric = _metric(tokenize, lowercase)
    systems = [_statistics(metric, system, references) for system in (hypotheses, other_hypotheses)]
    weights = _resample(len(systems[0]), samples, seed)
    first, second = (_scores(metric, weights @ statistics) for statistics in systems)
    observed, other = (
        _scores(metric, statistics.sum(axis=0, keepdims=True))[0] for statistics in systems
    )
    differences = first - second
    difference = observed - other
    extreme = np.abs(differences - differences.mean()) >= abs(difference)
    low, high = _interval(differences)
    return PairedComparison(
        difference=float(difference),
        low=low,
        high=high,
        p_value=float((extreme.sum() + 1) / (samples + 1)),
    )


def check_tokenization(tokenize: str) -> None:
    """Makes sure, before long work, that BLEU can be computed so.

    Args:
        tokenize: sacrebleu's tokenization.

    Raises:
        InputError: If it is none of `TOKENIZERS`.
    """
    if tokenize not in TOKENIZERS:
        raise InputError(
            f"`tokenize` must be one of {', '.join(TOKENIZERS)}. Received: {tokenize!r}."
        )


def _metric(tokenize: str, lowercase: bool) -> BLEU:
    check_tokenization(tokenize)
    # `force`: no advice on standard error about text that looks tokenized.
    return BLEU(tokenize=tokenize, lowercase=lowercase, force=True)


def _checked(hypotheses: Sequence[str], references: Sequence[str]) -> tuple[list[str], list[str]]:
    if isinstance(hypotheses, str) or isinstance(references, str):
        raise InputError(
            "BLEU is that of many sentences. Received: one string. Give lists of sentences."
        )
    hypotheses, references = list(hypotheses), list(references)
    if len(hypotheses) != len(references):
        raise InputError(
            f"Hypotheses and references are not as many. Received: {len(hypotheses)} hypotheses, "
            f"{len(references)} references. Give one hypothesis a reference."
        )
    if not hypotheses:
        raise InputError(
            "There is nothing to score. Received: no sentences. Give at least one hypothesis and "
            "reference."
        )
    return hypotheses, references


def _statistics(metric: BLEU, hypotheses: Sequence[str], references: Sequence[str]) -> np.ndarray:
    """Returns sacrebleu's lengths and n-gram counts, one row a sentence."""
    hypotheses, references = _checked(hypotheses, references)
    rows = metric._extract_corpus_statistics(hypotheses, [references])
    return np.array(rows, dtype=np.float64)


def _resample(sentences: int, samples: int, seed: int) -> np.ndarray:
    """Returns how often every resampled corpus contains every sentence."""
    if samples < 1:
        raise InputError(
            f"There are too few samples. Received: samples={samples}. Give at least 1."
        )
    generator = np.random.default_rng(seed)
    weights = generator.multinomial(sentences, np.full(sentences, 1 / sentences), size=samples)
    return weights.astype(np.float64)


def _scores(metric: BLEU, sums: np.ndarray) -> np.ndarray:
    rows = np.rint(sums).astype(np.int64).tolist()
    return np.array([metric._compute_score_from_stats(row).score for row in rows])


def _interval(scores: np.ndarray) -> tuple[float, float]:
    low, high = np.percentile(scores, [2.5, 97.5])
    return float(low), float(high)
