"""Byte-pair models of `tokenizer.json`, as NLLB's, as the SentencePiece models that they were."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfcompress.errors import InputError


def bpe_model(path: Path, definition: Mapping[str, Any]) -> bytes:
    """Returns the SentencePiece model that splits texts as a definition says.

    Pieces have their order, and scores by the merges that make them.

    Args:
        path: The definition's file, for messages.
        definition: Its content.

    Raises:
        InputError: It is damaged, or of another kind.

    Example:

    >>> proto = bpe_model(path, json.loads(path.read_text()))
    """
    from sentencepiece.sentencepiece_model_pb2 import (
        ModelProto,  # pyright: ignore[reportAttributeAccessIssue]
    )

    try:
        model, charsmap = definition["model"], _charsmap(definition.get("normalizer"))
        others = [
            name for name in ("byte_fallback", "continuing_subword_prefix") if model.get(name)
        ]
        kind = model["type"]
        ranks = {}
        for rank, merge in enumerate(model["merges"]):
            parts = merge.split(" ") if isinstance(merge, str) else merge
            ranks.setdefault("".join(parts), rank)
        vocabulary = sorted(model["vocab"], key=model["vocab"].__getitem__)
        unk = model["unk_token"]
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"The file must hold a byte-pair model ({error!r}). Received: {path}. Download it "
            "again."
        ) from None
    if kind != "BPE" or others or charsmap is None:
        others += ["another normalizer"] * (charsmap is None)
        raise InputError(
            "The tokenizer must split texts as SentencePiece's byte-pair models do. Received: "
            f"{path} of type {kind!r} with {', '.join(others) or 'nothing else'}. Give the folder "
            "with its sentencepiece.bpe.model."
        )
    proto = ModelProto()
    piece_class = ModelProto.SentencePiece
    for piece in vocabulary:
        is_text = len(piece) == 1 or piece in ranks
        kind = piece_class.NORMAL if is_text else piece_class.CONTROL
        kind = piece_class.UNKNOWN if piece == unk else kind
        proto.pieces.append(
            piece_class(piece=piece, score=-ranks.get(piece, len(ranks)), type=kind)
        )
    proto.trainer_spec.model_type = proto.trainer_spec.BPE
    proto.trainer_spec.vocab_size = len(vocabulary)
    proto.normalizer_spec.name = "user_defined" if charsmap else "identity"
    proto.normalizer_spec.precompiled_charsmap = charsmap
    return proto.SerializeToString()


def _charsmap(normalizer) -> bytes | None:
    """The map of characters of a normalizer; None for a normalizer that does something else."""
    if normalizer is None:
        return b""
    if normalizer["type"] == "Sequence":
        first, *rest = normalizer["normalizers"]
        # Spaces that follow one another are one in SentencePiece.
        if any(one["type"] not in ("Replace", "Strip") for one in rest):
            return None
        normalizer = first
    if normalizer["type"] != "Precompiled":
        return None
    return base64.b64decode(normalizer["precompiled_charsmap"])
