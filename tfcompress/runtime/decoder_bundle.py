"""The bundle of a model with a decoder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfcompress.decoder_state import StateSpec
from tfcompress.runtime.bundle import Bundle
from tfcompress.runtime.manifest import Manifest, are_names, is_size

# What steps take besides the state.
_INPUTS = {"ids", "position", "mask", "memory_lengths", "shortlist", "shortlist_size", "width"}


@dataclass(frozen=True)
class SpecialIds:
    """The ids that are no words.

    Attributes:
        pad: Fills batches; never produced.
        bos: Begins a target; never produced, unless it is `eos`.
        eos: Ends sources and targets.
        target_prefix: Stand between `bos` and every target, which leaves them out.
    """

    pad: int
    bos: int
    eos: int
    target_prefix: tuple[int, ...] = ()

    @property
    def excluded(self) -> list[int]:
        """The ids that are never produced."""
        return sorted({self.pad, self.bos} - {self.eos})


@dataclass(frozen=True, kw_only=True)
class DecoderBundle(Bundle):
    """An opened bundle of a model that decodes step by step.

    Attributes:
        ids: The special ids.
        max_target_length: Longest target in tokens, end mark included.
        target_vocabulary: Number of target ids.
        state: What the decoder carries from step to step, by the names of the tensors.
        block: Logits that share an entry of `block_max`, or None where the model has none.
        is_ragged: Whether the rows of a step may be of sentences of different lengths, at
            different positions.
        gives_alignments: Whether steps say how much they look at each token of the source.

    The others are those of `Bundle`.
    """

    ids: SpecialIds
    max_target_length: int
    target_vocabulary: int
    state: dict[str, StateSpec]
    block: int | None
    is_ragged: bool
    gives_alignments: bool


def read_decoder(manifest: Manifest, vocabulary: int) -> dict[str, Any]:
    """Returns `ids`, `state`, `block` and `target_vocabulary` of a bundle.

    Args:
        manifest: Its manifest.
        vocabulary: Number of target ids.

    Raises:
        InputError: One of them is missing or impossible.
    """
    take = manifest.take
    special = [
        take("ids", name, check=lambda i: 0 <= i < vocabulary) for name in ("pad", "bos", "eos")
    ]
    return {
        "ids": SpecialIds(*special),
        "target_vocabulary": vocabulary,
        "state": _state(take("state", value_type=list, check=lambda x: _state(x) is not None)),
        "block": take("decoder", "block", value_type=int | None, check=_divides(vocabulary)),
        "is_ragged": take("decoder", "ragged", value_type=bool),
        "gives_alignments": "alignments" in take("decoder", value_type=dict),
    }


def tokenizer_file(manifest: Manifest, side: str) -> Path | None:
    """Returns the SentencePiece model of a side, or None.

    Args:
        manifest: The bundle's.
        side: "source", "target" or "text".

    Raises:
        InputError: It is no file of the bundle.
    """
    files = manifest.take("files", value_type=dict)
    name = manifest.take(
        "tokenizers", side, value_type=str | None, check=lambda name: name is None or name in files
    )
    return None if name is None else manifest.folder / name


def _divides(whole):
    return lambda value: value is None or (is_size(value) and whole % value == 0)


def _state(entries) -> dict[str, StateSpec] | None:
    """Returns the tensors by name, or None where an entry is impossible."""
    try:
        state = {entry["name"]: StateSpec.from_mapping(entry) for entry in entries}
    except (KeyError, TypeError, ValueError):
        return None
    usable = are_names([*state]) and len(state) == len(entries) and not _INPUTS & state.keys()
    return state if usable else None
