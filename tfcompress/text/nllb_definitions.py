"""Byte-pair models of `tokenizer.json`, as NLLB's, as the SentencePiece models that they were."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfcompress.errors import InputError
from tfcompress.text.marian import check_utf8


def bpe_model(path: Path, definition: Mapping[str, Any]) -> bytes:
    """Returns the SentencePiece model that splits texts as a definition says.

    Pieces have their order, and scores by the merges that make them.

    Args:
        path: The definition's file, for messages.
        definition: Its content.

    Raises:
        InputError: It is damaged, or of another kind.
    """
    from sentencepiece.sentencepiece_model_pb2 import (
        ModelProto,  # pyright: ignore[reportAttributeAccessIssue]
    )

    try:
        model, normalizer = definition["model"], _normalizer(definition.get("normalizer"))
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
    if kind != "BPE" or others or normalizer is None:
        others += ["another normalizer"] * (normalizer is None)
        raise InputError(
            "The tokenizer must split texts as SentencePiece's byte-pair models do. Received: "
            f"{path} of type {kind!r} with {', '.join(others) or 'nothing else'}. Give the folder "
            "with its sentencepiece.bpe.model."
        )
    check_utf8(path, vocabulary)
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
    charsmap, joins_spaces = normalizer
    spec = proto.normalizer_spec
    spec.name = "user_defined" if charsmap else "identity"
    spec.precompiled_charsmap, spec.remove_extra_whitespaces = charsmap, joins_spaces
    return proto.SerializeToString()


def _normalizer(definition) -> tuple[bytes, bool] | None:
    """The map of characters, and whether spaces in a row become one; None for anything else."""
    if definition is None:
        return b"", False
    parts = definition["normalizers"] if definition["type"] == "Sequence" else [definition]
    first, *rest = parts
    if first["type"] != "Precompiled" or any(part["type"] != "Replace" for part in rest):
        return None
    return base64.b64decode(first["precompiled_charsmap"], validate=True), bool(rest)
