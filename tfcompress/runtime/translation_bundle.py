"""The bundle of a translation model."""

from dataclasses import dataclass
from pathlib import Path

from tfcompress.decoder_state import StateSpec
from tfcompress.runtime.bundle import Bundle
from tfcompress.runtime.manifest import are_names, is_size

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


@dataclass(frozen=True, kw_only=True)
class TranslationBundle(Bundle):
    """An opened bundle of a translation model.

    Attributes:
        ids: The special ids.
        max_source_length: Longest source in tokens, end mark included.
        max_target_length: Longest target in tokens, end mark included.
        source_vocabulary: Number of source ids.
        target_vocabulary: Number of target ids.
        state: What the decoder carries from step to step, by the names of the tensors.
        block: Logits that share an entry of `block_max`, or None where the model has none.
        source_tokenizer: The SentencePiece model of the source, or None.
        target_tokenizer: The SentencePiece model of the target, or None.

    The others are those of `Bundle`.
    """

    ids: SpecialIds
    max_source_length: int
    max_target_length: int
    source_vocabulary: int
    target_vocabulary: int
    state: dict[str, StateSpec]
    block: int | None
    source_tokenizer: Path | None
    target_tokenizer: Path | None

    model_type = "translation"

    @classmethod
    def _read(cls, manifest):
        take = manifest.take
        files = take("files", value_type=dict)

        def tokenizer(side):
            name = take(
                "tokenizers", side, value_type=str | None, check=lambda n: n is None or n in files
            )
            return None if name is None else manifest.folder / name

        target_vocabulary = take("vocabulary", "target")
        special = [
            take("ids", name, check=lambda i: 0 <= i < target_vocabulary)
            for name in ("pad", "bos", "eos")
        ]
        return {
            "ids": SpecialIds(*special),
            "max_source_length": take("limits", "max_source_length"),
            "max_target_length": take("limits", "max_target_length"),
            "source_vocabulary": take("vocabulary", "source"),
            "target_vocabulary": target_vocabulary,
            "state": _state(take("state", value_type=list, check=lambda x: _state(x) is not None)),
            "block": take(
                "decoder", "block", value_type=int | None, check=_divides(target_vocabulary)
            ),
            "source_tokenizer": tokenizer("source"),
            "target_tokenizer": tokenizer("target"),
        }


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
