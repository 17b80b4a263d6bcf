"""M2M100 and NLLB models as Hugging Face folders hold them, for one pair of languages."""

import functools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tfcompress.models.config import EmbeddingConfig, Seq2SeqConfig
from tfcompress.models.published_translators import (
    OUTPUT,
    SHARED,
    SOURCE_TABLE,
    TARGET_TABLE,
    TranslationModel,
    TranslatorSettings,
    Weight,
    assign_weights,
    check_ids,
    check_positions,
    check_sizes,
    layer_weights,
)
from tfcompress.models.seq2seq import Seq2SeqTransformer
from tfcompress.models.tensor_files import TensorFiles
from tfcompress.text import Tokenizer
from tfcompress.text.m2m100 import M2M100Tokenizers, m2m100_tokenizers
from tfcompress.text.trimming import keep_pieces, keep_shared_pieces

# What the model computes; a folder that says otherwise holds another model.
_EXPECTED = {
    "model_type": "m2m_100",
    "is_encoder_decoder": True,
    "quantization_config": None,
    "auto_map": None,
}
# Tables that the model computes; such as older versions of transformers wrote.
_COMPUTED = tuple(
    f"model.{side}.embed_positions.{name}"
    for side in ("encoder", "decoder")
    for name in ("weight", "weights")
)


def from_m2m100(
    folder: str | os.PathLike,
    *,
    source_language: str,
    target_language: str,
    max_length: int | None = None,
    corpus: tuple[Iterable[str], Iterable[str]] | None = None,
    keep: Iterable[int] = (),
) -> TranslationModel:
    """Reads an M2M100 or NLLB model from the folder that Hugging Face's transformers write.

    The model translates from one language to another: sources have the code of theirs, and
    translations begin with that of theirs, which is left out of what a search gives, like padding.
    Ids stay the model's own, without a corpus. A vocabulary of 256,206 tokens is 1 GB in float32;
    with a corpus, only its tokens are read.

    Args:
        folder: It has `config.json`, weights as safetensors in one file or in shards, in float32,
            float16 or bfloat16, and the files that `tfcompress.text.m2m100_tokenizers` reads.
        source_language: The source's language, as the model calls it: "en" in M2M100, "eng_Latn"
            in NLLB.
        target_language: The target's language.
        max_length: Longest source and target in tokens, end mark and code included; None for what
            the folder says.
        corpus: Sources and targets, which are gone through several times, whose tokens to keep,
            with those that spell any text; None for all tokens. Better targets than references are
            the model's own.
        keep: Ids of further target tokens to keep; with them alone, no others are kept but those
            that spell any text.

    Returns:
        The model, in float32, and its tokenizers.

    Raises:
        InputError: A file is missing or damaged, a language is unknown, a tensor is missing, left
            over or has another shape, or the folder asks for something that this library's model
            does not do.

    Example:

    >>> model, source, target = tfc.models.from_m2m100(
    ...     "nllb-200-distilled-600M",
    ...     source_language="eng_Latn",
    ...     target_language="deu_Latn",
    ...     corpus=(sources, targets),
    ... )
    """
    folder = Path(folder)
    settings = _Settings(folder)
    ids = {role: settings.whole(f"{role}_token_id", least=0) for role in ("pad", "eos")}
    ids["bos"] = settings.whole("decoder_start_token_id", ids["eos"], least=0)
    size = settings.whole("vocab_size", least=max(ids.values()) + 1)
    tokenizers = m2m100_tokenizers(
        folder,
        source_language=source_language,
        target_language=target_language,
        vocabulary_size=size,
        start_id=ids["bos"],
    )
    check_ids(settings, tokenizers[:2], ids)
    vocabulary = _vocabulary(tokenizers, corpus, keep)
    config = _config(settings, vocabulary, max_length)
    files = TensorFiles(folder)
    check_positions(files, _COMPUTED, functools.partial(_sinusoids, pad=ids["pad"]))
    check_sizes(settings, files)
    model = Seq2SeqTransformer(config)
    weights = [*_tables(model, settings, vocabulary, files), *layer_weights(model)]
    unused = () if settings.is_tied else (SHARED,)
    assign_weights(files, weights, [*_COMPUTED, *unused])
    return TranslationModel(model, vocabulary.source, vocabulary.target)


class _Settings(TranslatorSettings):
    """The settings of a model, as its class takes them."""

    def __init__(self, folder):
        super().__init__(folder, "M2M100 and NLLB", _EXPECTED)
        self.is_tied = self.flag("tie_word_embeddings", True)


class _Vocabulary(NamedTuple):
    """The tokenizers, and what their ids are in the folder.

    Attributes:
        source: The tokenizer of the source.
        target: The tokenizer of the target.
        source_rows: The row of the folder's table for each id of the source.
        target_rows: The same of the target.
        target_code: The id of the target's language.
        has_one_list: Whether source and target have one list of ids, with the same rows.
    """

    source: Tokenizer
    target: Tokenizer
    source_rows: np.ndarray
    target_rows: np.ndarray
    target_code: int
    has_one_list: bool


def _vocabulary(tokenizers: M2M100Tokenizers, corpus, keep) -> _Vocabulary:
    source, target, source_code, target_code = tokenizers
    eos = target.eos_id
    target_rows = np.arange(target.vocabulary_size)
    source_rows = target_rows.copy()
    # Where the code ends sources, code and end have changed places.
    is_suffix = bool(source.affixes.suffix)
    if is_suffix:
        source_rows[[eos, source_code]] = source_code, eos
    keep = [*keep]
    if corpus is not None or keep:
        sources, targets = corpus or ((), ())
        if is_suffix:
            source_kept, source = keep_pieces(source, sources)
            target_kept, target = keep_pieces(target, targets, keep)
        else:
            source_kept, source, target = keep_shared_pieces(source, target, sources, targets, keep)
            target_kept = source_kept
        source_rows, target_rows = source_rows[source_kept], target_rows[target_kept]
        target_code = int(np.flatnonzero(target_kept == target_code)[0])
    return _Vocabulary(source, target, source_rows, target_rows, target_code, not is_suffix)


def _config(settings, vocabulary, max_length) -> Seq2SeqConfig:
    length = settings.max_length(max_length, 1024)
    return Seq2SeqConfig(
        len(vocabulary.source_rows),
        target_vocabulary_size=len(vocabulary.target_rows),
        hidden_dim=settings.whole("d_model"),
        encoder=settings.stack("encoder"),
        decoder=settings.stack("decoder"),
        embedding=EmbeddingConfig(
            share=settings.is_tied and vocabulary.has_one_list,
            tie="shared" if settings.is_tied else "none",
            use_scale=settings.flag("scale_embedding", True),
        ),
        first_position=settings.whole("pad_token_id", least=0) + 1,
        normalize_first=True,
        dropout=settings.rate("dropout"),
        max_source_length=length,
        max_target_length=length,
        pad_id=vocabulary.target.pad_id,
        bos_id=vocabulary.target.bos_id,
        eos_id=vocabulary.target.eos_id,
        target_prefix=(vocabulary.target_code,),
    )


def _tables(model: Seq2SeqTransformer, settings, vocabulary, files) -> Iterator[Weight]:
    shape = settings.whole("vocab_size"), model.config.hidden_dim
    names = {"source": (SOURCE_TABLE,), "target": (TARGET_TABLE,)}
    if settings.is_tied:
        names = dict.fromkeys(names, (SHARED, SOURCE_TABLE, TARGET_TABLE, OUTPUT))
    rows = {"source": vocabulary.source_rows, "target": vocabulary.target_rows}
    for side in ("target",) if model.config.embedding.share else ("source", "target"):
        table = model.layer(model.table_name(side)).embeddings
        aliases = names[side] if any(name in files.shapes for name in names[side]) else (SHARED,)
        yield Weight(table, aliases, shape, rows[side])
    if not settings.is_tied:
        kernel = model.layer("output_projection").kernel
        yield Weight(kernel, (OUTPUT,), shape, rows["target"], is_kernel=True)


def _sinusoids(positions: int, width: int, pad: int) -> np.ndarray:
    half = max(width // 2, 2)
    angles = np.arange(positions)[:, None] * 10000.0 ** (-np.arange(half) / (half - 1))
    table = np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
    table[pad : pad + 1] = 0
    return table
