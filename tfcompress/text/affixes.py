"""The ids that a tokenizer puts before and after every text, such as the code of its language."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import sentencepiece
from sentencepiece.sentencepiece_model_pb2 import (
    ModelProto,  # pyright: ignore[reportAttributeAccessIssue]
)

from tfcompress.errors import InputError

# The control piece after which a model has pieces that only split texts, without ids of their own.
NO_ID = "<no id>"
# What control pieces after it begin with that name a piece to put before and after every text.
BEFORE, AFTER = "<before>", "<after>"


class Affixes(NamedTuple):
    """What stands around every text.

    Attributes:
        prefix: Ids before it.
        suffix: Ids after it, before the end id.
    """

    prefix: tuple[int, ...] = ()
    suffix: tuple[int, ...] = ()

    def around(self, ids: Iterable[int]) -> list[int]:
        """Returns the ids of a text with those around it."""
        return [*self.prefix, *ids, *self.suffix]

    @property
    def is_empty(self) -> bool:
        """Whether there are none."""
        return not (self.prefix or self.suffix)


def num_ids(processor: sentencepiece.SentencePieceProcessor) -> int:
    """Returns how many pieces of a model have ids of their own: those before `NO_ID`, or all."""
    place = processor.piece_to_id(NO_ID)
    return place if processor.id_to_piece(place) == NO_ID else processor.get_piece_size()


def read_affixes(processor: sentencepiece.SentencePieceProcessor, name: str) -> Affixes:
    """Returns what a model puts around texts.

    Args:
        processor: The model.
        name: What it is called in messages.

    Raises:
        InputError: If it names a piece that it has not.
    """
    limit = num_ids(processor)
    affixes: tuple[list[int], list[int]] = ([], [])
    for place in range(limit, processor.get_piece_size()):
        piece = processor.id_to_piece(place)
        for begin, ids in zip((BEFORE, AFTER), affixes):
            if piece.startswith(begin) and processor.is_control(place):
                id = processor.piece_to_id(piece.removeprefix(begin))
                if id >= limit or processor.id_to_piece(id) != piece.removeprefix(begin):
                    raise InputError(
                        f"The tokenizer must have the piece that it puts around texts. Received: "
                        f"{name} with {piece!r} only. Export or import it again."
                    )
                ids.append(id)
    return Affixes(*map(tuple, affixes))


def with_affixes(proto: bytes, prefix: Sequence[str], suffix: Sequence[str] = ()) -> bytes:
    """Returns a model that puts pieces around every text.

    Args:
        proto: The SentencePiece model.
        prefix: Pieces before a text.
        suffix: Pieces after it.

    Example:

    >>> tfc.text.Tokenizer(with_affixes(tokenizer.proto, ["</s>"])).encode(["two dogs"])[0][0]
    2
    """
    model = ModelProto.FromString(proto)
    names = [f"{BEFORE}{piece}" for piece in prefix] + [f"{AFTER}{piece}" for piece in suffix]
    if all(piece.piece != NO_ID for piece in model.pieces):
        names.insert(0, NO_ID)
    control = ModelProto.SentencePiece.CONTROL
    model.pieces.extend(ModelProto.SentencePiece(piece=name, type=control) for name in names)
    model.trainer_spec.vocab_size = len(model.pieces)
    return model.SerializeToString()
