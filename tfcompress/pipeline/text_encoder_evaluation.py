"""Quality of a text encoder's bundle on a test set."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from tqdm import tqdm

from tfcompress.errors import InputError
from tfcompress.models.classes import find_names
from tfcompress.models.head_config import CLASSIFICATION, EMBEDDING, MULTI_LABEL, REGRESSION
from tfcompress.pipeline.overlong import warn_overlong
from tfcompress.text.labelled_corpora import iterate_examples

_COLUMNS = {
    CLASSIFICATION: ("text", "label"),
    MULTI_LABEL: ("text", "labels"),
    REGRESSION: ("text", "score"),
    EMBEDDING: ("text", "text", "score"),
}


def evaluate_text_encoder(
    bundle: str | Path, data: str | Path, *, num_threads: int = 1, progress: bool = False
) -> dict:
    """Scores a bundle with a head for classification, for scores or for vectors.

    Texts beyond the bundle's limit are cut.

    Args:
        bundle: The bundle's folder.
        data: A `.tsv` or `.tsv.gz` file. For classification, `text<TAB>label` lines; for
            multi-label classification, `text<TAB>labels` lines with commas between labels, or none;
            for regression, `text<TAB>score` lines; for vectors, `text<TAB>text<TAB>score` lines.
            Labels are names of classes, in capitals or small letters, or their numbers, from 0.
            A first line whose last column is called so is a heading.
        num_threads: Threads of the runtime.
        progress: Whether to show a progress bar on standard error, if that is a terminal.

    Returns:
        `examples`, their number, and: for classification `accuracy`, its 95% `interval` (Wilson's),
        `f1` of class 1 where there are two classes and else `macro_f1`, and the `labels` that the
        model gives; for multi-label classification `exact_match`, the part of texts with all
        classes right, with its `interval`, `micro_f1`, `macro_f1` and `labels`; for regression
        `pearson`, `spearman` and `mean_absolute_error`; for vectors `spearman`, the rank
        correlation of scores and cosines, and `mean_cosine`. `overlong` are the numbers (from 1) of
        the examples that were cut, which a warning says too.

    Raises:
        InputError: If the bundle is damaged or has another head, or a line has other columns or an
            impossible label or score, naming the line.

    Example:

    >>> tfc.pipeline.evaluate_text_encoder("sentiment", "sst2/dev.tsv")["accuracy"] <= 1
    True
    """
    from tfcompress.runtime import TextModel

    with TextModel(bundle, num_threads=num_threads) as model:
        head = model.bundle.head
        if head not in _COLUMNS:
            raise InputError(
                f"An evaluation needs a head for {' or '.join(_COLUMNS)}. Received: {bundle} with "
                f"{'no head' if head is None else f'one for {head}'}."
            )
        if head == REGRESSION and model.bundle.outputs["logits"].width > 1:
            raise InputError(
                f"An evaluation needs one score a text. Received: {bundle} with several."
            )
        rows = [*iterate_examples(data, _COLUMNS[head])]
        metrics = _metrics(model, data, rows, progress)
        return metrics | _overlong(model, [columns[:-1] for _, columns in rows])


def evaluate_classifier(
    bundle: str | Path,
    texts: Sequence[str],
    labels: Sequence[int],
    *,
    num_threads: int = 1,
    progress: bool = False,
) -> dict:
    """Scores a bundle with a head for classification.

    Args:
        bundle: The bundle's folder.
        texts: The texts; those beyond the bundle's limit are cut.
        labels: The numbers of their classes.
        num_threads: Threads of the runtime.
        progress: Whether to show a progress bar on standard error, if that is a terminal.

    Returns:
        What `evaluate_text_encoder` does for classification.

    Raises:
        InputError: If the bundle is damaged.

    Example:

    >>> evaluate_classifier("sentiment", ["A gripping film."], [1])["accuracy"] <= 1
    True
    """
    from tfcompress.runtime import TextModel

    with TextModel(bundle, num_threads=num_threads) as model:
        metrics = _classification(model, texts, labels, progress)
        return metrics | _overlong(model, [[text] for text in texts])


def classification_metrics(actual: ArrayLike, expected: ArrayLike, classes: int) -> dict:
    """Returns what `evaluate_text_encoder` does for classification.

    Args:
        actual: Numbers of the classes that the model gives.
        expected: Numbers of the true classes.
        classes: How many classes there are.

    Example:

    >>> classification_metrics([0, 1, 1], [0, 1, 0], 2)["f1"]
    0.6666666666666666
    """
    actual, expected = np.asarray(actual), np.asarray(expected)
    scores = [_f1(actual == number, expected == number) for number in range(classes)]
    f1 = {"f1": scores[1]} if classes == 2 else {"macro_f1": float(np.mean(scores))}
    accuracy = float(np.mean(actual == expected))
    return {
        "examples": len(actual),
        "accuracy": accuracy,
        "interval": list(_wilson(accuracy, len(actual))),
        **f1,
        "labels": actual.tolist(),
    }


def multi_label_metrics(actual: ArrayLike, expected: ArrayLike) -> dict:
    """Returns what `evaluate_text_encoder` does for multi-label classification.

    Args:
        actual: Boolean `[texts, classes]`, the classes that the model gives.
        expected: The same, the true classes.

    Example:

    >>> multi_label_metrics(np.array([[True, False]]), np.array([[True, True]]))["micro_f1"]
    0.6666666666666666
    """
    actual, expected = np.asarray(actual, bool), np.asarray(expected, bool)
    right = float(np.mean(np.all(actual == expected, axis=1)))
    return {
        "examples": len(actual),
        "exact_match": right,
        "interval": list(_wilson(right, len(actual))),
        "micro_f1": _f1(actual, expected),
        "macro_f1": float(np.mean([_f1(*columns) for columns in zip(actual.T, expected.T)])),
        "labels": [np.flatnonzero(row).tolist() for row in actual],
    }


def regression_metrics(actual: ArrayLike, expected: ArrayLike) -> dict:
    """Returns what `evaluate_text_encoder` does for regression.

    Args:
        actual: The scores that the model gives.
        expected: The true scores.

    Example:

    >>> round(regression_metrics([0.1, 0.5, 0.9], [1, 2, 3])["pearson"], 6)
    1.0
    """
    actual, expected = np.asarray(actual, float), np.asarray(expected, float)
    return {
        "examples": len(actual),
        "pearson": _correlation("pearsonr", actual, expected),
        "spearman": _correlation("spearmanr", actual, expected),
        "mean_absolute_error": float(np.mean(np.abs(actual - expected))),
    }


def similarity_metrics(cosines: Sequence[float], scores: Sequence[float]) -> dict:
    """Returns what `evaluate_text_encoder` does for vectors.

    Args:
        cosines: Of pairs of texts.
        scores: How alike the texts are.

    Example:

    >>> similarity_metrics([0.1, 0.5, 0.9], [1, 2, 3])["spearman"]
    1.0
    """
    return {
        "examples": len(scores),
        "spearman": _correlation("spearmanr", cosines, scores),
        "mean_cosine": float(np.mean(cosines)),
    }


def _metrics(model, data, rows, progress):
    head = model.bundle.head
    texts = [columns[0] for _, columns in rows]
    if head == CLASSIFICATION:
        return _classification(model, texts, _labels(data, rows, model), progress)
    if head == MULTI_LABEL:
        return multi_label_metrics(*_memberships(data, rows, model, progress))
    scores = [_score(data, number, columns[-1]) for number, columns in rows]
    if head == REGRESSION:
        actual = [model.score(text, overlong="cut") for text in _shown(texts, progress)]
        return regression_metrics(actual, scores)
    pairs = [columns[:2] for _, columns in rows]
    vectors = [model.embed(pair, overlong="cut") for pair in _shown(pairs, progress)]
    return similarity_metrics([_cosine(*pair) for pair in vectors], scores)


def _overlong(model, examples):
    """The numbers of the examples with texts beyond the limit, which are cut."""
    limit = model.bundle.max_length
    numbers = [
        number
        for number, texts in enumerate(examples, start=1)
        if max(map(len, model.tokenize(texts))) > limit
    ]
    consequence = f"cut, as they have more tokens than {limit}, with begin and end"
    warn_overlong(numbers, len(examples), "examples", consequence)
    return {"overlong": numbers}


def _classification(model, texts, expected, progress):
    actual = [
        model.classify(text, overlong="cut").probabilities for text in _shown(texts, progress)
    ]
    actual = [int(probabilities.argmax()) for probabilities in actual]
    return classification_metrics(actual, expected, model.bundle.outputs["logits"].width)


def _memberships(path, rows, model, progress):
    """Which classes the model gives each text and which are the true ones, boolean."""
    from tfcompress.runtime.text_model import THRESHOLD

    places = [
        (row, line, label.strip())
        for row, (line, (_, labels)) in enumerate(rows)
        for label in labels.split(",")
        if labels.strip()
    ]
    expected = np.zeros([len(rows), model.bundle.outputs["logits"].width], bool)
    numbers = _numbers(path, [(line, label) for _, line, label in places], model)
    expected[[row for row, _, _ in places], numbers] = True
    texts = [text for _, (text, _) in rows]
    actual = [
        model.classify(text, overlong="cut").probabilities for text in _shown(texts, progress)
    ]
    return np.array(actual) >= THRESHOLD, expected


def _labels(path, rows, model):
    """The numbers of the true classes."""
    return _numbers(path, [(number, label) for number, (_, label) in rows], model)


def _numbers(path, labels, model) -> Any:
    """The numbers of classes that lines name."""
    classes = model.bundle.outputs["logits"].width
    by_number = {str(number): number for number in range(classes)}
    wanted = [label for _, label in labels]
    actual = find_names(model.labels or [*by_number], wanted)
    # Where names look like numbers, those of one file are all names or all numbers.
    unlike = not any(name.isdigit() for name in model.labels or ())
    if None in actual and (unlike or {*wanted} <= {*by_number}):
        numbers = map(by_number.get, wanted)
        actual = [a if unlike and a is not None else b for a, b in zip(actual, numbers)]
    for (line, label), number in zip(labels, actual):
        if number is None:
            names = "" if model.labels is None else f", or one of {', '.join(model.labels)}"
            raise InputError(
                f"The label must be 0 to {classes - 1}{names}. Received: {label!r} in {path}, line "
                f"{line}."
            )
    return actual


def _score(path, number, text):
    try:
        score = float(text)
    except ValueError:
        score = np.nan
    if not np.isfinite(score):
        raise InputError(
            f"The score must be a number. Received: {text!r} in {path}, line {number}."
        )
    return score


def _shown(values, progress: bool) -> Any:
    return tqdm(values, unit="text", disable=None if progress else True, leave=False)


def _cosine(a, b):
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / norm if norm else 0.0


def _correlation(name, a, b):
    """Pearson's or Spearman's; 0 where either is all alike and there is no order to compare."""
    from scipy import stats

    return float(getattr(stats, name)(a, b).statistic) if np.ptp(a) and np.ptp(b) else 0.0


def _f1(actual, expected):
    both, either = np.sum(actual & expected), np.sum(actual) + np.sum(expected)
    return float(2 * both / either) if either else 0.0


def _wilson(share, count):
    from scipy import stats

    interval = stats.binomtest(round(share * count), count).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)
