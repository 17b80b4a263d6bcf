"""How numbers and text are written."""

import unicodedata

_PREFIXES = ("", "k", "M", "G", "T", "P", "E")


def clean(text: str) -> str:
    """Returns text as one line without the characters that `printable` replaces.

    Example:

    >>> clean("two\\n lines")
    'two lines'
    """
    return printable(" ".join(text.split()))


def printable(text: str) -> str:
    """Returns text with spaces for control characters that space, question marks for others."""
    return "".join(
        character if not _is_unprintable(character) else " " if character.isspace() else "\ufffd"
        for character in text
    )


def byte_size(value: float) -> str:
    """Returns a number of bytes in decimal units with three digits.

    Example:

    >>> byte_size(16_934_112)
    '16.9 MB'
    """
    number, prefix = _scaled(value)
    return f"{number} {prefix}B"


def count(value: float) -> str:
    """Returns a large count with three digits.

    Example:

    >>> count(8_092_416)
    '8.09M'
    """
    return "".join(_scaled(value))


def decimal(value: float, digits: int = 1) -> str:
    """Returns a number with thousands separators; one too small or too large for it, in short.

    Example:

    >>> decimal(1234.56)
    '1,234.6'
    """
    if value and not 10.0**-digits / 2 <= abs(value) < 1e9:
        return f"{value:.2g}"
    return f"{value:,.{digits}f}"


def signed(value: float, digits: int = 2) -> str:
    """Returns a difference with its sign; one that rounds to nothing has none.

    Example:

    >>> signed(-0.4), signed(-0.001)
    ('-0.40', '0.00')
    """
    text = f"{value:+.{digits}f}"
    return text if float(text) else text[1:]


def counted(number: float, noun: str) -> str:
    """Returns a number with its noun in the right form.

    Example:

    >>> counted(1, "thread"), counted(1000, "sentence")
    ('1 thread', '1,000 sentences')
    """
    return f"{number:,} {noun}{'s' * (number != 1)}"


def ratio(value: float) -> str:
    """Returns a ratio such as '8.3x'.

    Example:

    >>> ratio(8.279)
    '8.3x'
    """
    return f"{decimal(value, 1 if value >= 1 else 2)}x"


def score(value: float, low: float | None = None, high: float | None = None) -> str:
    """Returns a score with its interval, if it has one.

    Example:

    >>> score(37.94, 36.81, 39.02)
    '37.94 [36.8, 39.0]'
    """
    interval = "" if low is None or high is None else f" [{low:.1f}, {high:.1f}]"
    return f"{value:.2f}{interval}"


def width(text: str) -> int:
    """Returns the number of columns that text takes in a terminal."""
    return sum(
        0 if unicodedata.combining(character) else 2 if _is_wide(character) else 1
        for character in text
    )


def pad(text: str, columns: int, right: bool = False) -> str:
    """Returns text filled with spaces to a width, on its left side if `right`."""
    space = " " * (columns - width(text))
    return space + text if right else text + space


def _is_unprintable(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cs") or character in "\ufffe\uffff"


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"


def _scaled(value: float) -> tuple[str, str]:
    power = 0
    while power < len(_PREFIXES) - 1 and abs(value) >= 999.5:
        value /= 1000
        power += 1
    if power == 0 and value == int(value):
        return str(int(value)), ""
    digits = 2 if abs(value) < 9.995 else 1 if abs(value) < 99.95 else 0
    return f"{value:.{digits}f}", _PREFIXES[power]
