"""A corpus of labelled texts made by rules, and a vocabulary for it."""

import random

WORDS = "the film actor plot is was a very not and story music".split()  # noqa: SIM905
GOOD, BAD = ("great", "fine", "moving"), ("dull", "weak", "empty")
PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *GOOD, *BAD, "."]


def examples(count, seed):
    """Texts whose class is that of the one word of praise or blame."""
    generator = random.Random(seed)
    for _ in range(count):
        label = generator.randrange(2)
        words = generator.choices(WORDS, k=generator.randint(1, 9))
        words.insert(generator.randint(0, len(words)), generator.choice((BAD, GOOD)[label]))
        yield " ".join(words) + " .", label


def write_text_corpus(folder, train=200, valid=40, test=24):
    """Writes `train.tsv`, `dev.tsv`, `test.tsv` and the files of a tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed, (name, count) in enumerate({"train": train, "dev": valid, "test": test}.items()):
        lines = [f"{text}\t{label}" for text, label in examples(count, seed)]
        (folder / f"{name}.tsv").write_text("\n".join(["sentence\tlabel", *lines]) + "\n")
    (folder / "vocab.txt").write_text("\n".join(PIECES) + "\n")
    return folder
