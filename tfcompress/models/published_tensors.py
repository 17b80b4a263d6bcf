"""Reads the tensors of published folders, in one file or in shards."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from tfcompress.errors import InputError

WEIGHTS = "model.safetensors"
INDEX = f"{WEIGHTS}.index.json"
_OTHERS = ("pytorch_model*.bin", "*.ckpt*", "tf_model*.h5", "flax_model*.msgpack", "*.onnx")
_CONVERSION = (
    'python -c "import glob, torch, safetensors.torch as s; '
    "s.save_file({n: t.clone().contiguous() for f in glob.glob('pytorch_model*.bin') for n, t in "
    "torch.load(f, map_location='cpu', weights_only=True).items()}, 'model.safetensors')\""
)
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
    if (folder / WEIGHTS).is_file():
        tensors = _read(folder / WEIGHTS)
    elif (folder / INDEX).is_file():
        tensors = _read_shards(folder / INDEX)
    else:
        raise _missing(folder)
    return _renamed(folder, tensors)


def _read(path) -> dict[str, np.ndarray]:
    # Gives numpy the type bfloat16.
    import ml_dtypes  # noqa: F401
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        tensors = load_file(path)
    except AttributeError as error:
        raise InputError(
            f"Weights must be float32, float16 or bfloat16 ({error}). Received: {path}."
        ) from None
    except (SafetensorError, OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(
            f"The weights are corrupt ({error}). Received: {path}. Download the model again."
        ) from None
    return {
        # Not only numpy's own types of floats.
        name: tensor.astype(np.float32) if tensor.dtype.kind in "fV" else tensor
        for name, tensor in tensors.items()
    }


def _read_shards(index) -> dict[str, np.ndarray]:
    places = _places(index)
    tensors: dict[str, np.ndarray] = {}
    for name in dict.fromkeys(places.values()):
        path = index.parent / name
        if not path.is_file():
            raise InputError(
                f"A file that {index.name} names is missing. Received: {path}. Download the model "
                "again, with all its files."
            )
        shard = _read(path)
        wanted = {tensor for tensor, place in places.items() if place == name}
        missing, extra = sorted(wanted - set(shard)), sorted(set(shard) - wanted)
        if missing or extra:
            parts = [f"lacks {', '.join(missing)}"] * bool(missing)
            parts += [f"has {', '.join(extra)}, which is not its"] * bool(extra)
            raise InputError(
                f"A file must hold what {index.name} says. Received: {path}, which "
                f"{' and '.join(parts)}. Download the model again, with all its files."
            )
        tensors |= shard
    return tensors


def _places(index) -> dict[str, str]:
    """The file of each tensor, by its name."""
    try:
        places: Any = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
        good = bool(places) and all(Path(name).name == name for name in places.values())
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            f"The index of shards is corrupt ({error}). Received: {index}. Download it again."
        ) from None
    if not good:
        raise InputError(
            f"An index must name files beside it. Received: {index}. Download the model again."
        )
    return places


def _missing(folder):
    others = sorted({path.name for pattern in _OTHERS for path in folder.glob(pattern)})
    if not others:
        return InputError(
            f"The weights are missing. Received: {folder / WEIGHTS}. Give the folder of a "
            "published model."
        )
    remedy = "Download its safetensors, or save them where its framework is installed"
    if any(name.startswith("pytorch_model") for name in others):
        remedy = (
            f"Download its safetensors, or make them with PyTorch in this folder: {_CONVERSION}"
        )
    return InputError(
        f"The weights must be in {WEIGHTS}, as other files may run code or need a framework. "
        f"Received: {folder} with {', '.join(others)}. {remedy}."
    )


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
