"""Reads the tensors of published encoders, by their names in the encoder."""

from collections import Counter
from pathlib import Path

import numpy as np

from tfcompress.errors import InputError
from tfcompress.models.tensor_files import TensorFiles

# Where every encoder of the family begins; what comes before is the name of what holds it.
_ANCHOR = "embeddings.word_embeddings.weight"


def read_tensors(folder: Path) -> dict[str, np.ndarray]:
    """Returns the tensors of a published folder by their names in the encoder.

    Names lose what holds the encoder, as `bert.` or `0.auto_model.`, and old spellings.

    Args:
        folder: It has `model.safetensors`, or shards and `model.safetensors.index.json`.

    Returns:
        The tensors; those of floats in float32.

    Raises:
        InputError: A file is missing or damaged, index and shards differ, or weights are there in
            another format only.

    Example:

    >>> read_tensors(tfc.models.minilm_folder())["embeddings.LayerNorm.weight"].shape
    (384,)
    """
    files = TensorFiles(folder)
    return _renamed(folder, {name: files.read(name) for name in files.shapes})


def _renamed(folder, tensors):
    """Tensors by the names that they have in the encoder."""
    holders = [name.removesuffix(_ANCHOR) for name in tensors if name.endswith(_ANCHOR)]
    if len(holders) > 1:
        raise InputError(
            f"The folder must hold one encoder. Received: {folder} with "
            f"{', '.join(sorted(holders))}."
        )
    parts = (holders or [""])[0].split(".")[:-1]
    # Heads may lie beside the encoder, in what holds both.
    prefixes = [".".join(parts[:count]) + "." for count in range(len(parts), 0, -1)]
    names = {name: _plain(name, prefixes) for name in tensors}
    twice = [name for name, count in Counter(names.values()).items() if count > 1]
    if twice:
        raise InputError(
            f"Each tensor must be there once. Received: {folder} with {', '.join(sorted(twice))} "
            "twice. Download it again."
        )
    return {names[name]: tensor for name, tensor in tensors.items()}


def _plain(name: str, prefixes) -> str:
    for prefix in prefixes:
        if name.startswith(prefix):
            name = name.removeprefix(prefix)
            break
    owner, _, weight = name.rpartition(".")
    if owner.endswith("LayerNorm"):
        weight = {"gamma": "weight", "beta": "bias"}.get(weight, weight)
    return f"{owner}.{weight}" if owner else weight
