"""The tensors of published folders, in one file or in shards, read one by one."""

import contextlib
import json
from collections.abc import Iterator
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
# Rows of a table are looked for in parts of this size.
_PART_BYTES = 2**23


class TensorFiles:
    """The tensors of a folder by name. Only what is asked for is read.

    Args:
        folder: It has `model.safetensors`, or shards and `model.safetensors.index.json`.

    Attributes:
        folder: The folder.
        shapes: The shape of each tensor.

    Raises:
        InputError: A file is missing or damaged, index and shards differ, or weights are there in
            another format only.

    Example:

    >>> TensorFiles(tfc.models.minilm_folder()).shapes["embeddings.LayerNorm.weight"]
    (384,)
    """

    shapes: dict[str, tuple[int, ...]]

    def __init__(self, folder: Path):
        self.folder, self.shapes = folder, {}
        self._places: dict[str, Path] = {}
        if (folder / WEIGHTS).is_file():
            self._add(folder / WEIGHTS)
        elif (folder / INDEX).is_file():
            self._add_shards(folder / INDEX)
        else:
            raise _missing(folder)

    def read(self, name: str) -> np.ndarray:
        """Returns a tensor; one of floats in float32.

        Args:
            name: Its name.

        Raises:
            InputError: It cannot be read.
        """
        with _open(self._places[name]) as file:
            return _plain(file.get_tensor(name))

    def read_rows(self, name: str, rows: np.ndarray) -> np.ndarray:
        """Returns some rows of a tensor, in float32. Never are all rows in memory.

        Args:
            name: Its name.
            rows: Their numbers, in any order, also several times.

        Raises:
            InputError: They cannot be read.

        Example:

        >>> files = TensorFiles(tfc.models.minilm_folder())
        >>> files.read_rows("embeddings.word_embeddings.weight", np.array([7, 0, 7])).shape
        (3, 384)
        """
        count, *shape = self.shapes[name]
        step = max(1, _PART_BYTES // max(1, 4 * int(np.prod(shape))))
        result = np.empty((len(rows), *shape), np.float32)
        with _open(self._places[name]) as file:
            stored = file.get_slice(name)
            for start in range(0, count, step):
                end = min(start + step, count)
                (wanted,) = np.nonzero((rows >= start) & (rows < end))
                if len(wanted):
                    result[wanted] = _plain(stored[start:end][rows[wanted] - start])
        return result

    def _add(self, path):
        with _open(path) as file:
            names = file.keys()
            for name in names:
                self.shapes[name] = tuple(file.get_slice(name).get_shape())
                self._places[name] = path

    def _add_shards(self, index):
        places = _read_index(index)
        for name in dict.fromkeys(places.values()):
            path = index.parent / name
            if not path.is_file():
                raise InputError(
                    f"A file that {index.name} names is missing. Received: {path}. Download the "
                    "model again, with all its files."
                )
            before = set(self.shapes)
            self._add(path)
            shard = {tensor for tensor, place in self._places.items() if place == path}
            wanted = {tensor for tensor, place in places.items() if place == name}
            missing = sorted(wanted - shard)
            extra = sorted((shard - wanted) | (shard & before))
            if missing or extra:
                parts = [f"lacks {', '.join(missing)}"] * bool(missing)
                parts += [f"has {', '.join(extra)}, which is not its"] * bool(extra)
                raise InputError(
                    f"A file must hold what {index.name} says. Received: {path}, which "
                    f"{' and '.join(parts)}. Download the model again, with all its files."
                )


@contextlib.contextmanager
def _open(path) -> Iterator[Any]:
    # Gives numpy the type bfloat16.
    import ml_dtypes  # noqa: F401
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            yield file
    except AttributeError as error:
        raise InputError(
            f"Weights must be float32, float16 or bfloat16 ({error}). Received: {path}."
        ) from None
    except (SafetensorError, OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(
            f"The weights are corrupt ({error}). Received: {path}. Download the model again."
        ) from None


def _plain(tensor: np.ndarray) -> np.ndarray:
    # Not only numpy's own types of floats.
    return tensor.astype(np.float32) if tensor.dtype.kind in "fV" else tensor


def _read_index(index) -> dict[str, str]:
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
