"""Codes of the language that a text is translated to, for models of several, such as `>>de<<`."""

from tfcompress.text.characters import is_space


def target_code(text: str) -> str:
    """Returns the code that a text begins with, or "".

    Args:
        text: The text.

    Example:

    >>> target_code(">>de<< two dogs")
    '>>de<<'
    """
    end = text.find("<<", 3)
    is_code = text.startswith(">>") and end >= 0 and not any(map(is_space, text[:end]))
    return text[: end + 2] if is_code else ""


def with_code(code: str, text: str) -> str:
    """Returns a part of a text with a code before it.

    Args:
        code: The code, or "".
        text: The part, which may begin with the code.

    Example:

    >>> with_code(">>de<<", "two dogs")
    '>>de<< two dogs'
    """
    return f"{code} {text}" if code and not text.startswith(code) else text
