"""The same words in both languages, and how they join to sentences."""

from typing import NamedTuple


class Text(NamedTuple):
    """The same words in both languages."""

    en: str
    de: str


EMPTY = Text("", "")


def table(rows: str) -> list[Text]:
    """Read lines of "English = German"; one word where both are the same."""
    pairs = (line.partition(" = ") for line in rows.strip().splitlines())
    return [Text(en.strip(), de.strip() or en.strip()) for en, _, de in pairs]


def join(*texts: Text) -> Text:
    """Put texts side by side; a text that begins with a comma joins without a space."""
    sides = (" ".join(filter(None, side)) for side in zip(*texts))
    return Text(*(side.replace(" ,", ",") for side in sides))


def sentence(*texts: Text, mark: str = ".") -> Text:
    """Join texts to a sentence: first letter upper-case, punctuation at the end."""
    return Text(*(side[0].upper() + side[1:] + mark for side in join(*texts)))


def question(*texts: Text) -> Text:
    """Join texts to a sentence that ends with a question mark."""
    return sentence(*texts, mark="?")
