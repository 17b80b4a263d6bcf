"""Regular expressions that users write."""

import re

from tfcompress.errors import InputError


def compile_expression(name: str, expression: str) -> re.Pattern[str]:
    """Compiles a regular expression.

    Args:
        name: What the option is called.
        expression: Its value.

    Raises:
        InputError: If the value is no regular expression.
    """
    try:
        return re.compile(expression)
    except re.error as error:
        raise InputError(
            f"`{name}` must be a regular expression. Received: {expression!r} ({error})."
        ) from error
