"""What can go wrong in an export although its arguments are right."""

from tfcompress.errors import InputError


class ExportError(InputError):
    """Raised where a model cannot be exported, or its export is not the same model.

    Nothing is written then. The message names the cause and the remedy.
    """
