"""A corpus of English-German travel phrases, made on the spot by a grammar.

The grammar in `tfcompress.phrasebook` knows gender, case, agreement, word order, separable
verbs and subordinate clauses, so that translating its sentences takes more than a word list.

Each English sentence has one German translation. Where English says only "you", the sentence itself
shows how the German addresses people:

- after "Excuse me", after Mr. or Ms. with a surname, and with "please": "Sie";
- after two first names: "ihr";
- else, after one first name or none: "du".

("Thank you" and "come with you" are set phrases that address nobody in German.)
"""

import os
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tfcompress.errors import InputError

if TYPE_CHECKING:
    from tfcompress.phrasebook import Template
    from tfcompress.text.corpora import Corpus

SOURCE_LANGUAGE, TARGET_LANGUAGE = "en", "de"


def capacity() -> int:
    """Return how many distinct sentence pairs the grammar can make.

    Example:
        >>> capacity() > 1_000_000
        True
    """
    from tfcompress.phrasebook import TEMPLATES

    return sum(template.size for template in TEMPLATES)


def generate(*, pairs: int = 60000, seed: int = 0) -> list[tuple[str, str]]:
    """Make sentence pairs with distinct English sides, in random order.

    The same arguments give the same pairs on every platform and Python version.

    Args:
        pairs: How many pairs.
        seed: What the random choices start from, zero or more.

    Returns:
        (English, German) pairs.

    Raises:
        InputError: If an argument is out of range or the grammar cannot make so many pairs.

    Example:
        >>> english, german = generate(pairs=1, seed=7)[0]
    """
    from tfcompress.phrasebook import TEMPLATES

    if pairs < 1:
        raise InputError(f"`pairs` must be at least 1. Received: {pairs}.")
    if seed < 0:
        raise InputError(f"`seed` must not be negative. Received: {seed}.")
    if pairs > capacity():
        raise InputError(
            f"The phrase book cannot make so many pairs. Received: pairs={pairs}. Give at most "
            f"{capacity()}."
        )
    rng = random.Random(seed)
    result = [
        (pair[0], pair[1])
        for template, count in zip(TEMPLATES, _shares(TEMPLATES, pairs))
        for index in _sample(rng, template.size, count)
        for pair in [tuple(template.build(index))]
    ]
    return [result[i] for i in _sample(rng, pairs, pairs)]


def phrase_corpus(
    *, pairs: int = 60000, seed: int = 0, valid: int = 1000, test: int = 1000
) -> "Corpus":
    """Make a corpus of travel phrases with splits that share no sentence on either side.

    Args:
        pairs: How many pairs in all.
        seed: What the random choices start from, zero or more.
        valid: How many of the pairs go to the "valid" split.
        test: How many of the pairs go to the "test" split; the others go to "train".

    Returns:
        A `tfcompress.text.corpora.Corpus` with the splits "train", "valid" and "test".

    Raises:
        InputError: If an argument is out of range or the grammar cannot make so many pairs.

    Example:
        >>> sources, targets = phrase_corpus(pairs=5000, valid=100, test=100).splits["train"]
    """
    from tfcompress.text.corpora import Corpus

    if min(valid, test) < 0 or valid + test >= pairs:
        raise InputError(
            "`valid` and `test` must not be negative, and together less than `pairs`. Received: "
            f"valid={valid}, test={test}, pairs={pairs}."
        )
    corpus = generate(pairs=pairs, seed=seed)
    # A translation that several sentences share stays in one split: the training split.
    uses = Counter(target for _, target in corpus)
    unique = [i for i, (_, target) in enumerate(corpus) if uses[target] == 1]
    if len(unique) < valid + test:
        raise InputError(
            f"Too few pairs can be held out. Received: {len(unique)} of {pairs} for {valid} + "
            f"{test}. Give fewer."
        )
    held_out = set(unique[: valid + test])
    chosen = {
        "train": [pair for i, pair in enumerate(corpus) if i not in held_out],
        "valid": [corpus[i] for i in unique[:valid]],
        "test": [corpus[i] for i in unique[valid : valid + test]],
    }
    splits: dict[str, tuple[Sequence[str], Sequence[str]]] = {
        name: ([source for source, _ in part], [target for _, target in part])
        for name, part in chosen.items()
    }
    return Corpus("phrases", SOURCE_LANGUAGE, TARGET_LANGUAGE, splits)


def write_corpus(
    path: str | os.PathLike,
    *,
    pairs: int = 60000,
    seed: int = 0,
    valid: int = 1000,
    test: int = 1000,
) -> Path:
    """Write a corpus of travel phrases as plain files: `train.en`, `train.de`, `valid.en`, ...

    All files are complete before the first of them appears.

    Args:
        path: The folder, made if it is not there.
        pairs: How many pairs in all.
        seed: What the random choices start from, zero or more.
        valid: How many of the pairs go to `valid.*`.
        test: How many of the pairs go to `test.*`.

    Returns:
        The folder.

    Raises:
        InputError: If an argument is out of range or the folder cannot be written.

    Example:
        >>> folder = write_corpus("phrases", pairs=5000, valid=100, test=100)
    """
    folder = Path(path)
    corpus = phrase_corpus(pairs=pairs, seed=seed, valid=valid, test=test)
    drafts = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, sides in corpus.splits.items():
            for language, lines in zip((SOURCE_LANGUAGE, TARGET_LANGUAGE), sides):
                draft = folder / f"{name}.{language}.{os.getpid()}.tmp"
                drafts[draft] = folder / f"{name}.{language}"
                draft.write_bytes("".join(f"{line}\n" for line in lines).encode())
        for draft, file in drafts.items():
            os.replace(draft, file)
    except OSError as error:
        raise InputError(
            f"The folder cannot be written ({error.strerror}). Received: {folder}. Name another "
            "one."
        ) from None
    finally:
        for draft in drafts:
            draft.unlink(missing_ok=True)
    return folder


def _shares(templates: "Sequence[Template]", pairs: int) -> list[int]:
    """Return how many pairs each template makes: by weight, but no more than it can."""
    shares = [0] * len(templates)
    left, weight = pairs, sum(template.weight for template in templates)
    scarcity = sorted(
        range(len(templates)), key=lambda i: (templates[i].size / templates[i].weight, i)
    )
    for i in scarcity:
        template = templates[i]
        fair = left if i == scarcity[-1] else int(left * template.weight / weight)
        shares[i] = min(fair, template.size)
        left, weight = left - shares[i], weight - template.weight
    return shares


def _sample(rng: random.Random, size: int, count: int) -> Iterator[int]:
    """Yield `count` distinct numbers below `size`: a Fisher-Yates shuffle that stores few moves.

    It uses nothing of the generator but `random()`, the only method whose sequence Python promises
    to keep.
    """
    moved: dict[int, int] = {}
    for i in range(count):
        j = i + int(rng.random() * (size - i))
        yield moved.get(j, j)
        moved[j] = moved.pop(i, i)
