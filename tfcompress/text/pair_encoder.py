"""What makes ids, and alignments of pieces, of a chunk of sentence pairs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tfcompress.digests import digest
from tfcompress.text.cached_examples import tokenizer_column
from tfcompress.text.input_noise import InputNoise, NoisyText
from tfcompress.text.piece_alignment import align_pieces, parse_alignment
from tfcompress.text.token_cache import Ragged
from tfcompress.text.words import split_words

if TYPE_CHECKING:
    from tfcompress.text.tokenizer import Tokenizer


class PairChunk(NamedTuple):
    """Some sentence pairs.

    Attributes:
        columns: Sources, targets, and where there are some, lines of word alignments.
        first: The number of the first pair in the corpus.
        variant: The version of the noise.
    """

    columns: Sequence[Sequence[str]]
    first: int
    variant: int


@dataclass(frozen=True)
class PairEncoder:
    """Makes the columns of a cache: source, target and, where it is known, alignment.

    Attributes:
        source: The tokenizer of the source.
        target: That of the target.
        noise: Noise on the sources.
        aligned: Whether there are lines of word alignments.
    """

    source: "Tokenizer"
    target: "Tokenizer"
    noise: InputNoise | None = None
    aligned: bool = False

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return ["source", "target", *(["alignment"] if self.aligned else [])]

    @property
    def digests(self) -> list[str]:
        """What changes with what a column becomes."""
        source = tokenizer_column("source", self.source).digest
        target = tokenizer_column("target", self.target).digest
        if self.noise is not None:
            source = digest([source, self.noise.digest()])
        return [source, target, *([digest([source, target])] if self.aligned else [])]

    @property
    def variants(self) -> int:
        """How many versions of the text there are."""
        return 1 if self.noise is None else self.noise.variants

    def __call__(self, chunk: PairChunk) -> list[Ragged]:
        """Makes the columns of a chunk; ids and places are uint16 where all ids fit.

        Raises:
            InputError: If an alignment is none, or not that of its pair.
        """
        most = max(self.source.vocabulary_size, self.target.vocabulary_size)
        id_type = np.uint16 if most <= 1 << 16 else np.int32
        sources, targets, *alignments = chunk.columns
        if self.noise is None:
            noisy = [NoisyText(text, range(len(text))) for text in sources]
        else:
            noisy = [
                self.noise.apply(text, line=chunk.first + number, variant=chunk.variant)
                for number, text in enumerate(sources)
            ]
        texts = [text for text, _ in noisy]
        if not alignments:
            raggeds = [self.source.encode_corpus(texts), self.target.encode_corpus([*targets])]
            return [(ids.astype(id_type), splits) for ids, splits in raggeds]
        encoded = self.source.encode_with_spans(texts), self.target.encode_with_spans([*targets])
        # What stands around a text is aligned with nothing.
        before = [len(tokenizer.affixes.prefix) for tokenizer in (self.source, self.target)]
        links, number = [], chunk.first
        for source, target, line, *pair in zip(sources, targets, alignments[0], noisy, *encoded):
            number += 1
            words_aligned = parse_alignment(
                line,
                source_words=len(split_words(source)),
                target_words=len(split_words(target)),
                number=number,
            )
            change, (_, source_pieces), (_, target_pieces) = pair
            places = align_pieces(
                words_aligned,
                source,
                target,
                noisy=change,
                source_pieces=source_pieces,
                target_pieces=target_pieces,
            )
            places = places + before
            # Beyond that no pair is trained on.
            links.append(places[(places < np.iinfo(id_type).max).all(axis=1)].ravel())
        rows = [
            [tokenizer.affixes.around(ids) for ids, _ in side]
            for tokenizer, side in zip((self.source, self.target), encoded)
        ] + [links]
        return [_ragged(column, id_type) for column in rows]


def _ragged(rows, id_type) -> Ragged:
    arrays = [np.asarray(row, id_type) for row in rows]
    splits = np.concatenate([[0], np.cumsum([len(row) for row in arrays])]).astype(np.int64)
    return np.concatenate([np.zeros(0, id_type), *arrays]), splits
