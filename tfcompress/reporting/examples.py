"""The example translations of several runs, side by side."""

from collections.abc import Sequence

from tfcompress.reporting.results import Example, RunResults


def merge_examples(runs: Sequence[RunResults], most: int) -> list[Example]:
    """Joins the runs' translations of the same sentence.

    Args:
        runs: The runs.
        most: The largest number of examples.

    Returns:
        The examples in order of appearance. Where two runs translate differently under the same
        name, the name of the later run is added.

    Example:

    >>> merge_examples([results], 10)[0].translations
    {'teacher': 'Hunde.'}
    """
    merged: dict[tuple[str, str], dict[str, str]] = {}
    for run in runs:
        for example in run.examples:
            translations = merged.setdefault((example.source, example.reference), {})
            for name, text in example.translations.items():
                known = translations.get(name, text)
                translations[name if known == text else f"{name} ({run.name})"] = text
    return [Example(*pair, translations) for pair, translations in merged.items()][:most]
