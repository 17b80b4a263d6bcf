"""The command line, one file a command: each reads its arguments and calls the public API."""

from tfcompress.commands.main import main

__all__ = ["main"]
