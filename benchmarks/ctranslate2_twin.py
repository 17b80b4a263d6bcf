"""The same weights as a CTranslate2 model."""

from collections.abc import Sequence
from pathlib import Path

import ctranslate2
import numpy as np
from ctranslate2.specs import TransformerSpec
from ctranslate2.specs.common_spec import Activation, EmbeddingsMerge
from ctranslate2.specs.transformer_spec import (
    TransformerEncoderModelSpec,
    TransformerEncoderSpec,
)

from tfcompress.layers import SinusoidalPosition
from tfcompress.models import Seq2SeqTransformer, TextEncoder

SPECIAL_TOKENS = ["<blank>", "<s>", "</s>", "<unk>"]


def convert(
    transformer: Seq2SeqTransformer,
    folder: Path,
    quantization: str = "int8",
    *,
    tokens: Sequence[str] | None = None,
    unk_id: int = 3,
) -> None:
    """Writes a transformer as a CTranslate2 model.

    Args:
        transformer: One table for source, target and output, not factorized; sinusoidal positions;
            ReLU; no shared layers.
        folder: Where to.
        quantization: CTranslate2's type of the weights.
        tokens: Names of the ids; None: as `token_name` has them, for which ids 0 to 2 are padding,
            beginning and end.
        unk_id: Of unknown pieces.
    """
    config = transformer.config
    spec = TransformerSpec.from_config(
        (config.encoder.num_layers, config.decoder.num_layers),
        config.encoder.attention.num_heads,
        pre_norm=config.normalize_first,
    )
    embedding = transformer.layer("embedding")
    table = embedding.embeddings.numpy()
    if config.embedding.zero_start:
        table[config.bos_id] = 0
    spec.encoder.embeddings[0].weight = table
    spec.decoder.embeddings.weight = table
    spec.encoder.scale_embeddings = spec.decoder.scale_embeddings = True
    spec.decoder.projection.weight = table
    if config.embedding.use_output_bias:
        spec.decoder.projection.bias = embedding.output_bias.numpy()
    zeros = np.zeros((1, config.max_source_length, config.hidden_dim), "float32")
    positions = SinusoidalPosition()(zeros)[0].numpy()
    spec.encoder.position_encodings.encodings = positions
    spec.decoder.position_encodings.encodings = positions
    if config.normalize_first:
        _normalization(spec.encoder.layer_norm, transformer.layer("encoder_normalization"))
        _normalization(spec.decoder.layer_norm, transformer.layer("decoder_normalization"))
    for target, layer in zip(spec.encoder.layer, transformer.encoder_layers):
        _self_attention(target.self_attention, layer.attention, layer.attention_normalization)
        _feed_forward(target.ffn, layer)
    for target, layer in zip(spec.decoder.layer, transformer.decoder_layers):
        _self_attention(
            target.self_attention, layer.self_attention, layer.self_attention_normalization
        )
        _cross_attention(target.attention, layer)
        _feed_forward(target.ffn, layer)
    tokens = tokens or [token_name(i) for i in range(config.source_vocabulary_size)]
    spec.register_source_vocabulary(tokens)
    spec.register_target_vocabulary(tokens)
    spec.config.bos_token = spec.config.decoder_start_token = tokens[config.bos_id]
    spec.config.eos_token, spec.config.unk_token = tokens[config.eos_id], tokens[unk_id]
    spec.config.layer_norm_epsilon = config.epsilon
    spec.validate()
    spec.optimize(quantization=quantization)
    folder.mkdir(parents=True)
    spec.save(str(folder))


def token_name(token_id: int) -> str:
    """Returns the name of a token id in the CTranslate2 model."""
    return SPECIAL_TOKENS[token_id] if token_id < len(SPECIAL_TOKENS) else f"t{token_id}"


def translator(folder: Path, threads: int) -> ctranslate2.Translator:
    """Opens a converted model on the CPU."""
    return ctranslate2.Translator(
        str(folder), device="cpu", compute_type="int8", intra_threads=threads, inter_threads=1
    )


def _linear(target, *layers):
    target.weight = np.concatenate([layer.kernel.numpy().T for layer in layers])
    target.bias = np.concatenate([layer.bias.numpy() for layer in layers])


def _normalization(target, layer):
    target.gamma, target.beta = layer.gamma.numpy(), layer.beta.numpy()


def _self_attention(target, attention, normalization):
    _normalization(target.layer_norm, normalization)
    _linear(target.linear[0], attention.query, attention.key, attention.value)
    _linear(target.linear[1], attention.output_projection)


def _cross_attention(target, layer):
    attention = layer.cross_attention
    _normalization(target.layer_norm, layer.cross_attention_normalization)
    _linear(target.linear[0], attention.query)
    _linear(target.linear[1], attention.key, attention.value)
    _linear(target.linear[2], attention.output_projection)


def _feed_forward(target, layer):
    _normalization(target.layer_norm, layer.feed_forward_normalization)
    _linear(target.linear_0, layer.feed_forward.inner)
    _linear(target.linear_1, layer.feed_forward.outer)


def convert_encoder(encoder: TextEncoder, folder: Path, quantization: str = "int8") -> None:
    """Writes a text encoder without its head as a CTranslate2 model.

    Args:
        encoder: BERT-like, with GELU and token types.
        folder: Where to.
        quantization: CTranslate2's type of the weights.
    """
    config = encoder.config
    spec = TransformerEncoderModelSpec(
        TransformerEncoderSpec(
            config.encoder.num_layers,
            config.encoder.attention.num_heads,
            pre_norm=False,
            activation=Activation.GELU,
            layernorm_embedding=True,
            num_source_embeddings=2,
            embeddings_merge=EmbeddingsMerge.ADD,
        )
    )
    embedding = encoder.layer("embedding")
    spec.encoder.scale_embeddings = False
    spec.encoder.embeddings[0].weight = embedding.embeddings.numpy()
    spec.encoder.embeddings[1].weight = embedding.type_embeddings.numpy()
    spec.encoder.position_encodings.encodings = embedding.positions.embeddings.numpy()
    _normalization(spec.encoder.layernorm_embedding, embedding.normalization)
    for target, layer in zip(spec.encoder.layer, encoder.encoder_layers):
        _self_attention(target.self_attention, layer.attention, layer.attention_normalization)
        _feed_forward(target.ffn, layer)
    spec.register_vocabulary([f"t{i}" for i in range(config.vocabulary_size)])
    spec.config.unk_token = "t0"
    spec.config.layer_norm_epsilon = config.epsilon
    spec.validate()
    spec.optimize(quantization=quantization)
    folder.mkdir(parents=True)
    spec.save(str(folder))
