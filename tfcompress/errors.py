"""Errors and warnings about what users can correct."""


class InputError(ValueError):
    """Raised for input that a user can correct: files, options, recipes, text.

    The message is one line that names the cause, the value received and the remedy. The command
    line prints it and exits with code 2.
    """


class InputWarning(UserWarning):
    """Says what of an input is left out, and why.

    The command line prints it as one line.
    """
