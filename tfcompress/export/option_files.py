"""Reads the files that options of an export name on the command line and in recipes."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from tfcompress.errors import InputError
from tfcompress.export.quantization.schemes import check_scheme
from tfcompress.yaml_file import read_yaml

if TYPE_CHECKING:
    from tfcompress.text import TextTokenizer, Tokenizer

# Whose activations a static quantization allows for.
REPRESENTATIVE_TEXTS = 200


def read_scheme(path: str | Path) -> dict[str, str]:
    """Reads what weights are stored as from a YAML or JSON file.

    Args:
        path: The file.

    Raises:
        InputError: If it cannot be read or holds no scheme.
    """
    scheme = read_yaml(path)
    try:
        check_scheme(scheme)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return scheme


def read_texts(path: str | Path) -> list[str]:
    """Reads representative texts, one a line, of which the first 200 are used.

    Args:
        path: The file.

    Raises:
        InputError: If it cannot be read or has no text.
    """
    from tfcompress.text import is_blank
    from tfcompress.text.lines import iterate_lines

    lines = (line for line in iterate_lines(path) if not is_blank(line))
    texts = [*islice(lines, REPRESENTATIVE_TEXTS)]
    if not texts:
        raise InputError(
            f"Representative data must be texts, one a line. Received: {path}, which has no "
            "sentences. Give some."
        )
    return texts


def read_parallel(paths: Sequence[str | Path]) -> tuple[list[str], list[str]]:
    """Reads sentences and their translations.

    Args:
        paths: The two files.

    Raises:
        InputError: If they cannot be read, or have not as many lines each.
    """
    from tfcompress.text import read_lines

    source, target = paths
    sources, targets = read_lines(source), read_lines(target)
    if len(sources) != len(targets):
        raise InputError(
            "`shortlist` needs files whose lines are translations of each other. Received: "
            f"{source} of {len(sources)} lines and {target} of {len(targets)}."
        )
    return sources, targets


def read_tokenizer(path: str | Path) -> "TextTokenizer | Tokenizer":
    """Reads a text encoder's tokenizer, or a language model's.

    Args:
        path: A folder, as `tfcompress.text.load_text_tokenizer` takes it, or the file of a
            SentencePiece model.
    """
    from tfcompress.text import Tokenizer, load_text_tokenizer

    return Tokenizer(path) if Path(path).is_file() else load_text_tokenizer(path)
