"""Finds the files of a model of Marian's own in a folder."""

from pathlib import Path
from typing import NamedTuple

from tfcompress.errors import InputError

MODELS = (".npz", ".bin")
# How shortlists and vocabularies are called, by the first letters and the last.
_SHORTLIST, _OPTIMIZER = "lex", ".optimizer.npz"
_VOCABULARIES = ("*.spm", "*vocab*.yml", "*vocab*.yaml", "*vocab*.json")
_SIDES = (("srcvocab", "trgvocab"), ("source", "target"), ("src", "trg"))


class MarianFiles(NamedTuple):
    """The files of a model.

    Attributes:
        model: The weights.
        vocabularies: One, or the source's and the target's.
        shortlist: The lexical shortlist, or None.
    """

    model: Path
    vocabularies: list[Path]
    shortlist: Path | None


def find_marian_files(source: Path) -> MarianFiles | None:
    """Returns the files of a model of Marian's own.

    Args:
        source: The file with the weights, or a folder.

    Returns:
        The files; None for a folder that has no such weights, or is a MarianMT folder.

    Raises:
        InputError: If it is not clear which files belong together.

    Example:

    >>> find_marian_files(Path("opus-mt-en-de")) is None
    True
    """
    folder = source if source.is_dir() else source.parent
    if source.is_dir():
        names = [path for path in sorted(folder.iterdir()) if _is_model(path)]
        if (folder / "config.json").is_file() or not names:
            return None
        if len(names) > 1:
            raise InputError(
                "It must be clear which model is meant. Received: "
                f"{folder} with {', '.join(path.name for path in names)}. Give one of them."
            )
        source = names[0]
    elif source.suffix not in MODELS:
        raise InputError(
            f"A model of Marian's ends in {' or '.join(MODELS)}. Received: {source}. Give such a "
            "file, or the folder of a MarianMT model."
        )
    shortlists = sorted(folder.glob(f"{_SHORTLIST}*.bin")) if source.suffix == ".bin" else []
    if len(shortlists) > 1:
        raise InputError(
            "A model has one shortlist. Received: "
            f"{', '.join(path.name for path in shortlists)} in {folder}. Keep the model's."
        )
    return MarianFiles(source, _vocabularies(folder), shortlists[0] if shortlists else None)


def _is_model(path):
    # Weights of PyTorch have the same ending.
    name = path.name
    others = name.startswith((_SHORTLIST, "pytorch_model")) or name.endswith(_OPTIMIZER)
    return path.is_file() and path.suffix in MODELS and not others


def _vocabularies(folder) -> list[Path]:
    paths = sorted({path for pattern in _VOCABULARIES for path in folder.glob(pattern)})
    tables = [path for path in paths if path.suffix != ".spm"]
    # Beside a table of ids, SentencePiece models are the sides' alone.
    for some in (tables, paths):
        if len(some) == 1:
            return some
        for begins in _SIDES:
            sides = [[path for path in some if path.name.startswith(side)] for side in begins]
            if len(some) == 2 and all(len(side) == 1 for side in sides):
                return [side[0] for side in sides]
    names = ", ".join(path.name for path in paths) or "none"
    raise InputError(
        "Beside the model must be one vocabulary, or the source's and the target's, called "
        f"srcvocab and trgvocab. Received: {names} in {folder}. Give others another place."
    )
