"""Describes a model from its configuration."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tfcompress.analysis.description import Description
from tfcompress.analysis.embedding import embeddings, output, positions
from tfcompress.analysis.language_model import language_model
from tfcompress.analysis.published import published
from tfcompress.analysis.stack import decoder, encoder, words
from tfcompress.analysis.text_encoder import text_encoder
from tfcompress.errors import InputError
from tfcompress.models.config import Seq2SeqConfig
from tfcompress.models.language_model_config import LanguageModelConfig
from tfcompress.models.presets import preset
from tfcompress.models.text_encoder_config import TextEncoderConfig

if TYPE_CHECKING:
    from tfcompress.models.language_model import LanguageModel
    from tfcompress.models.seq2seq import Seq2SeqTransformer
    from tfcompress.models.text_encoder import TextEncoder

Config = Seq2SeqConfig | TextEncoderConfig | LanguageModelConfig
_NAMES = {
    Seq2SeqConfig: "seq2seq_transformer",
    TextEncoderConfig: "text_encoder",
    LanguageModelConfig: "language_model",
}


def describe(
    model: "Config | Seq2SeqTransformer | TextEncoder | LanguageModel | str | os.PathLike",
    *,
    source_length: int = 30,
    target_length: int | None = None,
) -> Description:
    """Counts parameters, multiply-adds and bytes by component.

    Formulas of the configuration: no model is built, TensorFlow is not imported.

    Parameters. Shared ones count once, and components add up to the total, which is what
    `model.count_params()` says. What a tied output layer borrows from the target embedding counts
    under `embedding`; under `output` it counts its own projection and its biases only, so 0 where
    it has neither. `weights_only` leaves biases and normalizations out.

    Multiply-adds, of translating one sentence. Every weight of a matrix counts once for each token
    that it is applied to: the encoder's for source tokens; the decoder's for target tokens, each
    decoded once with a cache; its keys and values of the source for source tokens; the output
    layer's for target tokens. Attention adds `2 * queries * keys * num_heads * head_dim`, all keys
    counted under a causal mask too; convolutions add `length * width * kernel_size`. Look-ups,
    biases, normalizations, activations and softmax count nothing. Without embedding and output
    these are the numbers that the literature prints: 87M for a width of 128 with 6 + 6 layers at 30
    tokens. Where a method's papers count otherwise, their way of counting is given beside.

    Number of layers. Those with weights that one position passes in sequence: in one embedding, the
    encoder, the decoder and the output; a transform's input projection is left out, as in the
    published numbers.

    Bytes. float32: 4 a parameter. int8: 1 a weight of a matrix or table, a scale of 4 for each of
    its output channels or rows, 4 a value of biases and normalizations. int4: half a byte a weight
    of a matrix or table, a scale of 2 for each block of 32 of a row, 4 a value of biases and
    normalizations.

    A text encoder has the components `embedding`, `encoder` and `output`, its pooler, which is
    applied to one token. A language model has `embedding`, `decoder` and `output`, and the
    multiply-adds of a text whose tokens are decoded once each.

    Args:
        model: A configuration, a model, the name of a preset, or a folder that `save_to_preset`
            wrote. A model counts as its configuration says.
        source_length: Tokens of the source sentence, or of the text of another model.
        target_length: Tokens of the target sentence; 30 by default. Only translation models have
            one.

    Returns:
        The description; `str` of it is a table, `to_dict` is for machines.

    Raises:
        InputError: If there is no such preset, or a length is below 1 or that of a target which
            the model has not.

    Example:

    >>> tfc.analysis.describe("transformer_big").to_dict()["parameters"]["weights_only"]
    258080768
    """
    lengths = {
        "source_length": source_length,
        "target_length": 30 if target_length is None else target_length,
    }
    for name, length in lengths.items():
        if length < 1:
            raise InputError(f"`{name}` must be at least 1. Received: {length}.")
    name, config = _name_and_config(model)
    if not isinstance(config, Seq2SeqConfig):
        if target_length is not None:
            raise InputError(
                f"`target_length` is for translation models. Received: {target_length}. Leave it "
                f"out, {name} has no target."
            )
        if isinstance(config, TextEncoderConfig):
            components, tied = text_encoder(config, length=source_length), False
        else:
            components = language_model(config, length=source_length)
            tied = config.embedding.tie != "none"
        return Description(name, components, source_length=source_length, tied=tied)
    width = config.hidden_dim
    components = {
        "embedding": embeddings(config, **lengths)
        + positions(config.positions, config.max_source_length, width)
        + positions(config.positions, config.max_target_length, width),
        "encoder": encoder(config, source_length=source_length)
        + words(config.encoder.attention, config.source_vocabulary_size),
        "decoder": decoder(config, **lengths),
        "output": output(config, tokens=lengths["target_length"]),
    }
    return Description(
        name,
        components,
        tied=config.embedding.tie != "none",
        published=published(config, components, **lengths),
        **lengths,
    )


def _name_and_config(model) -> tuple[str, Config]:
    if isinstance(model, (str, os.PathLike)):
        return Path(model).resolve().name, preset(model)
    config = getattr(model, "config", model)
    if type(config) in _NAMES:
        return _NAMES[type(config)], config
    raise InputError(
        "Only a configuration, a model of it, or a preset's name or folder can be described. "
        f"Received: {type(model).__name__}. Give one of these."
    )
