"""Translators from Marian's and Bergamot's own files."""

import os
from collections.abc import Sequence
from pathlib import Path

from tfcompress.models.marian_files.bergamot import read_bergamot
from tfcompress.models.marian_files.npz import read_npz
from tfcompress.models.marian_files.options import BERGAMOT_DEFAULTS, Options, read_config
from tfcompress.models.marian_files.variables import assign
from tfcompress.models.published_translators import TranslationModel
from tfcompress.models.seq2seq import Seq2SeqTransformer
from tfcompress.text import Shortlist, read_bergamot_shortlist
from tfcompress.text.marian_vocabularies import marian_vocabularies

Paths = str | os.PathLike | Sequence[str | os.PathLike]


class BergamotModel(TranslationModel):
    """A translator and its tokenizers, with the shortlist that belongs to it.

    Attributes:
        shortlist: The lexical shortlist, or None.
    """

    shortlist: Shortlist | None = None


def from_marian_npz(
    model: str | os.PathLike, vocabularies: Paths, *, max_length: int | None = None
) -> TranslationModel:
    """Reads a transformer from the `.npz` file that Marian's training writes.

    Decoders have self-attention, averaged attention or an SSRU. Token ids stay the model's own;
    one id more is padding, with which every target begins, as a vector of zeros.

    Args:
        model: The file.
        vocabularies: One file for both sides or one for each: SentencePiece models, or tables of
            ids (`.yml`, `.yaml`, `.json`) with `source.spm` and `target.spm` beside them.
        max_length: Longest source and target in tokens, end mark included; None for 512, or the
            trained positions.

    Returns:
        The model, in float32, and its tokenizers.

    Raises:
        InputError: If a file is missing or corrupt, a tensor is missing, left over or has another
            shape, the vocabulary does not match, or the file asks for something that this
            library's model does not do.

    Example:

    >>> model, source, target = tfc.models.from_marian_npz("student.npz", "vocab.spm")
    >>> model.config.decoder.attention.mixer, model.config.eos_id
    ('ssru', 0)
    """
    path = Path(model)
    return _read(path, read_npz(path), {}, vocabularies, max_length)


def from_bergamot(
    model: str | os.PathLike,
    vocabularies: Paths,
    shortlist: str | os.PathLike | None = None,
    *,
    max_length: int | None = None,
) -> BergamotModel:
    """Reads a transformer from a `.bin` file of Marian's, as Firefox' students are.

    Weights are float32 or 8-bit integers. Integers are kept: exported with "dynamic_int8", the
    bundle has them bit for bit, and their scale for every channel. Ranges of activations that the
    file has are not needed, as the bundle's kernels measure them. Options that a file leaves out
    are those of Bergamot's engines.

    Args:
        model: The file.
        vocabularies: As for `from_marian_npz`.
        shortlist: Its lexical shortlist in binary form, as `lex.50.50.ende.s2t.bin`.
        max_length: As for `from_marian_npz`.

    Returns:
        The model and its tokenizers; the attribute `shortlist` is the shortlist.

    Raises:
        InputError: As of `from_marian_npz`, or if the shortlist is of other vocabularies.

    Example:

    >>> model, source, target = tfc.models.from_bergamot("student.bin", "vocab.spm")
    >>> model.config.pad_id == source.pad_id == model.config.source_vocabulary_size - 1
    True
    """
    path = Path(model)
    read = _read(path, read_bergamot(path), BERGAMOT_DEFAULTS, vocabularies, max_length)
    result = BergamotModel(*read)
    if shortlist is not None:
        result.shortlist = read_bergamot_shortlist(
            shortlist, read.source_tokenizer, read.target_tokenizer
        )
    return result


def _read(path, content, defaults, vocabularies, max_length) -> TranslationModel:
    config = read_config(Options(path, content, defaults), max_length)
    sizes = config.vocabulary_sizes
    tokenizers = marian_vocabularies(
        vocabularies,
        sizes["source"] - 1,
        sizes["target"] - 1,
        one_table=config.embedding.share,
    )
    model = Seq2SeqTransformer(config)
    assign(path, model, content)
    return TranslationModel(model, *tokenizers)
