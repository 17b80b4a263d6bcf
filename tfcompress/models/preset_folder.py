"""A model saved as a folder: its configuration and its weights."""

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from tfcompress.errors import InputError
from tfcompress.files import read_json, sync, sync_tree
from tfcompress.models.config import Seq2SeqConfig
from tfcompress.models.language_model_config import LanguageModelConfig
from tfcompress.models.text_encoder_config import TextEncoderConfig

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.weights.h5"
# What configurations but `Seq2SeqConfig` are called in files.
_NAMES = {TextEncoderConfig: "text_encoder", LanguageModelConfig: "language_model"}


class _Model(Protocol):
    """A `Seq2SeqTransformer`, a `TextEncoder` or a `LanguageModel`."""

    config: Any
    model: Any


def save_preset(transformer: _Model, folder: str | os.PathLike) -> None:
    """Saves a model as a folder that `load_preset` reads, under either Keras.

    The folder appears whole or not at all; one that an earlier call wrote is replaced.

    Args:
        transformer: The model.
        folder: Where to; it holds `config.json` and `model.weights.h5` afterwards.

    Raises:
        InputError: If the folder holds other files, or cannot be written.

    Example:

    >>> tfc.models.save_preset(transformer, "travel_phrases")
    """
    from tfcompress.models.copying import copy_layers

    folder = Path(folder).absolute()
    _check_replaceable(folder)
    # A model that was compiled would take optimizer and metrics into the file.
    model_class: Any = type(transformer)
    plain = model_class(transformer.config)
    copy_layers(transformer.model, plain.model)
    try:
        with _replacing(folder) as temporary:
            config = json.dumps(_to_mapping(transformer.config), indent=2)
            (temporary / CONFIG_FILE).write_text(f"{config}\n", encoding="utf-8")
            plain.model.save_weights(str(temporary / WEIGHTS_FILE))
    except OSError as error:
        raise InputError(
            f"The model cannot be written ({error.strerror or error}). Received: {folder}. Check "
            "the place."
        ) from None


def read_config(folder: str | os.PathLike) -> Seq2SeqConfig | TextEncoderConfig:
    """Reads the configuration of a saved model.

    Args:
        folder: What `save_preset` wrote.

    Raises:
        InputError: If it is missing, is no JSON, or describes no possible model.
    """
    path = Path(folder) / CONFIG_FILE
    try:
        mapping = read_json(path)
    except FileNotFoundError:
        raise InputError(
            f"There is no such file. Received: {path}. Pass a folder that `save_to_preset` wrote."
        ) from None
    except InputError as error:
        raise InputError(f"{error} Save the model anew.") from None
    try:
        return _from_mapping(mapping)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _to_mapping(config):
    name = _NAMES.get(type(config))
    return ({} if name is None else {"model_type": name}) | config.to_mapping()


def _from_mapping(mapping):
    for config, name in _NAMES.items():
        if isinstance(mapping, dict) and mapping.get("model_type") == name:
            return config.from_mapping({k: v for k, v in mapping.items() if k != "model_type"})
    return Seq2SeqConfig.from_mapping(mapping)


def load_weights(transformer: _Model, folder: str | os.PathLike) -> None:
    """Loads the weights of a saved model.

    Args:
        transformer: A model of the folder's configuration.
        folder: What `save_preset` wrote.

    Raises:
        InputError: If the weights are missing, damaged, or of another configuration.
    """
    path = Path(folder) / WEIGHTS_FILE
    if not path.is_file():
        raise InputError(
            f"The weights are missing. Received: {path}. Pass a folder that `save_to_preset` wrote."
        )
    expected = transformer.model.count_params()
    try:
        stored = _stored_parameters(path)
        if stored == expected:
            transformer.model.load_weights(str(path))
            return
        problem = f"{stored:,} parameters instead of {expected:,}"
    except (OSError, ValueError, KeyError) as error:
        problem = " ".join(str(error).split())
    raise InputError(
        f"The weights must be those of the {CONFIG_FILE} beside them ({problem}). Received: "
        f"{path}. Save the model anew."
    )


def _stored_parameters(path: Path) -> int:
    """Counts a file's parameters: Keras takes no notice of those that no layer asks for."""
    import h5py

    sizes = []
    with h5py.File(path) as file:
        file.visititems(lambda _, item: sizes.append(getattr(item, "size", 0)))
    return sum(sizes)


def _check_replaceable(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputError(
            f"A model is saved as a folder. Received: {folder}, a file. Choose another name."
        )
    if folder.is_dir():
        others = sorted({path.name for path in folder.iterdir()} - {CONFIG_FILE, WEIGHTS_FILE})
        if others:
            raise InputError(
                "Saving a model would remove the folder's other files. Received: "
                f"{folder} with {', '.join(others[:3])}. Choose a new folder."
            )


@contextlib.contextmanager
def _replacing(folder: Path) -> Iterator[Path]:
    """Gives a temporary folder that takes the place of `folder` unless an error is raised."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    workshop = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    new, old = workshop / "new", workshop / "old"
    try:
        new.mkdir()
        yield new
        sync_tree(new)
        if folder.exists():
            os.rename(folder, old)
        os.rename(new, folder)
        sync(folder.parent)
    finally:
        if old.exists() and not folder.exists():
            os.rename(old, folder)
        shutil.rmtree(workshop, ignore_errors=True)
