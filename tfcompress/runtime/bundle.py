"""Reads and checks a bundle: the folder that export writes and a device runs."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfcompress.decoder_state import StateSpec
from tfcompress.runtime.manifest import MODEL, Manifest, are_names, is_size

# What steps take besides the state.
_INPUTS = {"ids", "position", "mask", "shortlist", "shortlist_size", "width"}


@dataclass(frozen=True)
class SpecialIds:
    """The ids that are no words.

    Attributes:
        pad: Fills batches; never produced.
        bos: Begins a target; never produced.
        eos: Ends sources and targets.
    """

    pad: int
    bos: int
    eos: int


@dataclass(frozen=True)
class Bundle:
    """An opened bundle: its manifest, and what the runtime needs of it by name.

    Attributes:
        path: The folder.
        manifest: The whole manifest.
        ids: The special ids.
        max_source_length: Longest source in tokens, end mark included.
        max_target_length: Longest target in tokens, end mark included.
        source_vocabulary: Number of source ids.
        target_vocabulary: Number of target ids.
        state: What the decoder carries from step to step, by the names of the tensors.
        block: Logits that share an entry of `block_max`, or None where the model has none.
        source_tokenizer: The SentencePiece model of the source, or None.
        target_tokenizer: The SentencePiece model of the target, or None.
        custom_ops: Names of the custom operations that the model needs.
        size: Bytes of all files together.
    """

    path: Path
    manifest: dict[str, Any]
    ids: SpecialIds
    max_source_length: int
    max_target_length: int
    source_vocabulary: int
    target_vocabulary: int
    state: dict[str, StateSpec]
    block: int | None
    source_tokenizer: Path | None
    target_tokenizer: Path | None
    custom_ops: tuple[str, ...]
    size: int

    @property
    def model(self) -> Path:
        """The LiteRT model."""
        return self.path / MODEL


def open_bundle(path: str | os.PathLike, verify: bool = True) -> Bundle:
    """Opens a bundle and checks that it is whole.

    Args:
        path: The folder.
        verify: Whether to compare the size and SHA-256 of every file with the manifest. Without,
            only their presence is checked.

    Returns:
        The bundle.

    Raises:
        InputError: The folder or a file is missing, the manifest is of another format or
            incomplete, it names files outside the folder, or a file is truncated or altered.

    Example:

    >>> open_bundle("en-de").max_source_length
    256
    """
    folder = Path(path)
    manifest = Manifest(folder, "seq2seq")
    take = manifest.take
    files = manifest.check_files(verify)

    def tokenizer(side):
        name = take("tokenizers", side, kind=str | None, check=lambda n: n is None or n in files)
        return None if name is None else folder / name

    target_vocabulary = take("vocabulary", "target")
    special = [
        take("ids", name, check=lambda i: 0 <= i < target_vocabulary)
        for name in ("pad", "bos", "eos")
    ]
    return Bundle(
        path=folder,
        manifest=manifest.values,
        ids=SpecialIds(*special),
        max_source_length=take("limits", "max_source_length"),
        max_target_length=take("limits", "max_target_length"),
        source_vocabulary=take("vocabulary", "source"),
        target_vocabulary=target_vocabulary,
        state=_state(take("state", kind=list, check=_state)),
        block=take("decoder", "block", kind=int | None, check=_divides(target_vocabulary)),
        source_tokenizer=tokenizer("source"),
        target_tokenizer=tokenizer("target"),
        custom_ops=tuple(take("custom_ops", kind=list, check=are_names)),
        size=manifest.total_size(),
    )


def _divides(whole):
    return lambda value: value is None or (is_size(value) and whole % value == 0)


def _state(entries):
    """Returns the tensors by name, or None where an entry is impossible."""
    try:
        state = {entry["name"]: StateSpec.from_mapping(entry) for entry in entries}
    except (KeyError, TypeError, ValueError):
        return None
    usable = are_names([*state]) and len(state) == len(entries) and not _INPUTS & state.keys()
    return state if usable else None
