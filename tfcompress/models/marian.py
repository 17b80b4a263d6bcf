"""MarianMT models as Hugging Face folders hold them, such as OPUS-MT's."""

import os
from collections.abc import Iterator
from pathlib import Path

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
from tfcompress.text.marian import marian_tokenizers

# What the model computes; a folder that says otherwise holds another model.
_EXPECTED = {
    "model_type": "marian",
    "is_encoder_decoder": True,
    "normalize_before": False,
    "add_final_layer_norm": False,
    "normalize_embedding": False,
    "add_bias_logits": False,
    "static_position_embeddings": True,
    "tie_word_embeddings": True,
    "extra_pos_embeddings": 0,
}
# Tables that MarianMT computes.
_COMPUTED = ("model.encoder.embed_positions.weight", "model.decoder.embed_positions.weight")
_BIAS = "final_logits_bias"


def from_marian(folder: str | os.PathLike, *, max_length: int | None = None) -> TranslationModel:
    """Reads a MarianMT model from the folder that Hugging Face's transformers write and read.

    Token ids stay the model's own. Decoding begins with the padding id, as MarianMT's does, and
    never gives it.

    Args:
        folder: It has `config.json`, weights as safetensors in one file or in shards, in float32,
            float16 or bfloat16, and the files that `tfcompress.text.marian_tokenizers` reads.
        max_length: Longest source and target in tokens, end mark included; None for what the
            folder says.

    Returns:
        The model, in float32, and its tokenizers.

    Raises:
        InputError: A file is missing or damaged, a tensor is missing, left over or has another
            shape, or the folder asks for something that this library's model does not do.

    Example:

    >>> model, source, target = tfc.models.from_marian("opus-mt-en-de")
    >>> model.config.bos_id == model.config.pad_id == source.pad_id
    True
    """
    folder = Path(folder)
    settings = TranslatorSettings(folder, "MarianMT", _EXPECTED)
    config = _config(settings, max_length)
    files = TensorFiles(folder)
    check_positions(files, _COMPUTED, _sinusoids)
    tokenizers = marian_tokenizers(
        folder,
        source_vocabulary_size=config.source_vocabulary_size,
        target_vocabulary_size=config.target_vocabulary_size,
    )
    ids = {role: getattr(config, f"{role}_id") for role in ("pad", "bos", "eos")}
    check_ids(settings, tokenizers, ids)
    check_sizes(settings, files)
    model = Seq2SeqTransformer(config)
    assign_weights(files, [*_tables(model, files), *layer_weights(model)], _COMPUTED)
    return TranslationModel(model, *tokenizers)


def _config(settings, max_length) -> Seq2SeqConfig:
    encoder, decoder = settings.stack("encoder"), settings.stack("decoder")
    length = settings.max_length(max_length, 512)
    pad = settings.whole("pad_token_id", least=0)
    size = settings.whole("vocab_size")
    is_shared = settings.flag("share_encoder_decoder_embeddings", True)
    return Seq2SeqConfig(
        size,
        target_vocabulary_size=size if is_shared else settings.whole("decoder_vocab_size", size),
        hidden_dim=settings.whole("d_model"),
        encoder=encoder,
        decoder=decoder,
        embedding=EmbeddingConfig(
            share=is_shared,
            use_scale=settings.flag("scale_embedding", False),
            use_output_bias=True,
        ),
        positions="paper_sinusoidal",
        dropout=settings.rate("dropout"),
        max_source_length=length,
        max_target_length=length,
        pad_id=pad,
        bos_id=settings.whole("decoder_start_token_id", pad, least=0),
        eos_id=settings.whole("eos_token_id", least=0),
        # The one that Marian gives, and trains where it trains on alignments.
        alignment_head=0,
    )


def _tables(model: Seq2SeqTransformer, files: TensorFiles) -> Iterator[Weight]:
    source, target = (model.layer(model.table_name(side)) for side in ("source", "target"))
    names = {
        "source": (SOURCE_TABLE, SHARED),
        "target": (TARGET_TABLE, OUTPUT),
    }
    if source is target:
        names = {"target": (SHARED, SOURCE_TABLE, TARGET_TABLE, OUTPUT)}
    for side, aliases in names.items():
        variable = model.layer(model.table_name(side)).embeddings
        yield Weight(variable, aliases, tuple(variable.shape))
    bias = target.output_bias
    shape = tuple(bias.shape)
    # Published as a matrix of one row.
    yield Weight(bias, (_BIAS,), shape if len(files.shapes.get(_BIAS, "..")) == 1 else (1, *shape))


def _sinusoids(positions: int, width: int) -> np.ndarray:
    angles = np.arange(positions)[:, None] / 10000 ** (2 * np.arange(width // 2) / max(width, 1))
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
