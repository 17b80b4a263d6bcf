"""Quality of a text encoder's bundle on a test set."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from tfcompress.errors import InputError
from tfcompress.text.labelled_texts import read_examples

# The 97.5% quantile of the normal distribution.
_Z = 1.959964
_COLUMNS = {"classification": ("text", "label"), "embedding": ("text", "text", "score")}


def evaluate_encoder(
    bundle: str | Path, data: str | Path, *, threads: int = 1, progress: bool = False
) -> dict:
    """Scores a bundle with a head for classification or for vectors.

    Texts beyond the bundle's limit are cut.

    Args:
        bundle: The bundle's folder.
        data: A `.tsv` or `.tsv.gz` file. For classification, `text<TAB>label` lines with the names
            or the numbers of classes; for vectors, `text<TAB>text<TAB>score` lines. A first line
            whose last column is "label" or "score" is a heading.
        threads: Threads of the runtime.
        progress: Whether to show a progress bar on standard error.

    Returns:
        `examples`, their number, and: for classification `accuracy`, its 95% `interval` (Wilson's),
        `f1` of class 1 where there are two classes and else `macro_f1`, and the `labels` that were
        found; for vectors `spearman`, the rank correlation of scores and cosines, and
        `mean_cosine`.

    Raises:
        InputError: If the bundle is damaged or has another head, or a line has other columns or an
            impossible label or score, naming the line.

    Example:

    >>> tfc.pipeline.evaluate_encoder("sentiment", "dev.tsv.gz")["accuracy"]
    0.91
    """
    from tfcompress.export.runtime import TextModel

    with TextModel(bundle, num_threads=threads) as model:
        head = model.bundle.head
        if head not in _COLUMNS:
            raise InputError(
                f"{bundle}: {'has no head' if head is None else f'has a head for {head}'}; "
                f"evaluate takes heads for {' and '.join(_COLUMNS)}"
            )
        rows = read_examples(data, _COLUMNS[head])
        if head == "classification":
            expected = _labels(data, rows, model)
            return _classification(model, [columns[0] for _, columns in rows], expected, progress)
        scores = [_score(data, number, columns[-1]) for number, columns in rows]
        pairs = [columns[:2] for _, columns in rows]
        vectors = [model.embed(pair, overlong="cut") for pair in _shown(pairs, progress)]
    return similarity_figures([_cosine(*pair) for pair in vectors], scores)


def evaluate_classifier(
    bundle: str | Path,
    texts: Sequence[str],
    labels: Sequence[int],
    *,
    threads: int = 1,
    progress: bool = False,
) -> dict:
    """Scores a bundle with a head for classification.

    Args:
        bundle: The bundle's folder.
        texts: The texts; those beyond the bundle's limit are cut.
        labels: The numbers of their classes.
        threads: Threads of the runtime.
        progress: Whether to show a progress bar on standard error.

    Returns:
        What `evaluate_encoder` does for classification.

    Raises:
        InputError: If the bundle is damaged.

    Example:

    >>> evaluate_classifier("sentiment", ["A gripping film."], [1])["accuracy"]
    1.0
    """
    from tfcompress.export.runtime import TextModel

    with TextModel(bundle, num_threads=threads) as model:
        return _classification(model, texts, labels, progress)


def classification_figures(found: Sequence[int], expected: Sequence[int], classes: int) -> dict:
    """Returns what `evaluate_encoder` does for classification.

    Args:
        found: Numbers of the classes that were found.
        expected: Numbers of the true classes.
        classes: How many classes there are.

    Example:

    >>> classification_figures([0, 1, 1], [0, 1, 0], 2)["f1"]
    0.6666666666666666
    """
    found, expected = np.asarray(found), np.asarray(expected)
    scores = [_f1(found == number, expected == number) for number in range(classes)]
    f1 = {"f1": scores[1]} if classes == 2 else {"macro_f1": float(np.mean(scores))}
    accuracy = float(np.mean(found == expected))
    return {
        "examples": len(found),
        "accuracy": accuracy,
        "interval": list(_wilson(accuracy, len(found))),
        **f1,
        "labels": found.tolist(),
    }


def similarity_figures(cosines: Sequence[float], scores: Sequence[float]) -> dict:
    """Returns what `evaluate_encoder` does for vectors.

    Args:
        cosines: Of pairs of texts.
        scores: How alike the texts are.

    Example:

    >>> similarity_figures([0.1, 0.5, 0.9], [1, 2, 3])["spearman"]
    1.0
    """
    ranks = [_ranks(np.asarray(values, float)) for values in (cosines, scores)]
    deviations = [values - values.mean() for values in ranks]
    norm = np.sqrt(np.prod([np.sum(values**2) for values in deviations]))
    return {
        "examples": len(scores),
        # All alike: there is no order to compare.
        "spearman": float(np.sum(deviations[0] * deviations[1]) / norm) if norm else 0.0,
        "mean_cosine": float(np.mean(cosines)),
    }


def _classification(model, texts, expected, progress):
    found = [model.classify(text, overlong="cut").label for text in _shown(texts, progress)]
    found = [_number(model, label) for label in found]
    return classification_figures(found, expected, model.bundle.outputs["logits"].width)


def _labels(path, rows, model):
    """The numbers of the true classes."""
    classes = model.bundle.outputs["logits"].width
    numbers = {str(number): number for number in range(classes)}
    numbers |= {label: number for number, label in enumerate(model.labels or ())}
    expected = []
    for number, (_, label) in rows:
        if label not in numbers:
            names = "" if model.labels is None else f", or one of {', '.join(model.labels)}"
            raise InputError(
                f"{path}, line {number}: label {label!r}; give 0 to {classes - 1}{names}"
            )
        expected.append(numbers[label])
    return expected


def _number(model, label):
    return label if model.labels is None else model.labels.index(label)


def _score(path, number, text):
    try:
        score = float(text)
    except ValueError:
        score = np.nan
    if not np.isfinite(score):
        raise InputError(f"{path}, line {number}: score {text!r}; give a number")
    return score


def _shown(values, progress: bool) -> Callable:
    return tqdm(values, unit="text", disable=not progress, leave=False)


def _cosine(a, b):
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / norm if norm else 0.0


def _f1(found, expected):
    both, either = np.sum(found & expected), np.sum(found) + np.sum(expected)
    return float(2 * both / either) if either else 0.0


def _wilson(share, count):
    middle = share + _Z**2 / (2 * count)
    reach = _Z * np.sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2))
    return tuple(float((middle + sign * reach) / (1 + _Z**2 / count)) for sign in (-1, 1))


def _ranks(values):
    """Ranks from 0; equal values share the mean of theirs."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts + 1) / 2)[places]
