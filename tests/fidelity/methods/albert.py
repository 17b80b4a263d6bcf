"""ALBERT."""

import numpy as np
from fidelity.weights import affine, linear
from tensorflow import keras

from tfcompress import layers
from tfcompress.models import SharingConfig, StackConfig
from tfcompress.models.config import layer_groups

ALBERT_INPUTS = ("input_ids", "token_type_ids", "attention_mask")
ACTIVATIONS = {"gelu tanh approximation": "gelu_tanh", "gelu(erf)": "gelu", "relu": "relu"}


def albert(config, arrays):
    """ALBERT: factorized embedding, shared post-norm layers, pooler."""
    embedding = layers.FactorizedEmbedding(
        config["vocab"],
        hidden_dim=config["H"],
        embedding_dim=config["E"],
        tie="none",
        use_bias=True,
        normalize=True,
        positions=layers.LearnedPosition(len(arrays["w/embeddings.position_embeddings.weight"])),
        token_types=len(arrays["w/embeddings.token_type_embeddings.weight"]),
        epsilon=config["ln_eps"],
    )
    blocks = [
        [_albert_layer(config) for _ in range(config["inner"])] for _ in range(config["groups"])
    ]
    pooler = layers.Dense(config["H"], activation="tanh")

    ids = keras.Input((None,), dtype="int32")
    types = keras.Input((None,), dtype="int32")
    tokens = keras.Input((None,), dtype="int32")
    hidden = [embedding(ids, token_type_ids=types)]
    sharing = SharingConfig("groups", groups=config["groups"])
    for group in layer_groups(StackConfig(config["layers"], sharing=sharing))[0]:
        x = hidden[-1]
        for block in blocks[group]:
            x = block(x, padding_mask=tokens)
        hidden.append(x)
    model = keras.Model([ids, types, tokens], hidden)
    pooler.build((None, config["H"]))

    _load_albert_embedding(embedding, arrays)
    for group, inner in enumerate(blocks):
        for index, block in enumerate(inner):
            prefix = f"encoder.albert_layer_groups.{group}.albert_layers.{index}"
            _load_albert_layer(block, arrays, prefix)
    pooler.set_weights(linear(arrays, "pooler"))

    hidden = model([arrays[name].astype("int32") for name in ALBERT_INPUTS])
    parameters = model.count_params() + pooler.count_params()
    assert parameters == config.get("params", parameters)
    return {
        "hidden_states": np.stack([np.asarray(x) for x in hidden]),
        "last_hidden": hidden[-1],
        "pooled": pooler(hidden[-1][:, 0]),
    }


def _albert_layer(config):
    return layers.TransformerEncoderLayer(
        layers.MultiHeadAttention(config["heads"]),
        feed_forward=layers.FeedForward(config["ffn"], activation=ACTIVATIONS[config["act"]]),
        epsilon=config["ln_eps"],
    )


def _load_albert_embedding(embedding, arrays):
    embedding.embeddings.assign(arrays["w/embeddings.word_embeddings.weight"])
    embedding.type_embeddings.assign(arrays["w/embeddings.token_type_embeddings.weight"])
    embedding.positions.set_weights([arrays["w/embeddings.position_embeddings.weight"]])
    embedding.normalization.set_weights(affine(arrays, "embeddings.LayerNorm"))
    embedding.projection.set_weights(linear(arrays, "encoder.embedding_hidden_mapping_in"))


def _load_albert_layer(layer, arrays, prefix):
    attention = layer.attention
    attention.query.set_weights(linear(arrays, f"{prefix}.attention.query"))
    attention.key.set_weights(linear(arrays, f"{prefix}.attention.key"))
    attention.value.set_weights(linear(arrays, f"{prefix}.attention.value"))
    attention.output_projection.set_weights(linear(arrays, f"{prefix}.attention.dense"))
    layer.attention_normalization.set_weights(affine(arrays, f"{prefix}.attention.LayerNorm"))
    layer.feed_forward.inner.set_weights(linear(arrays, f"{prefix}.ffn"))
    layer.feed_forward.outer.set_weights(linear(arrays, f"{prefix}.ffn_output"))
    layer.feed_forward_normalization.set_weights(affine(arrays, f"{prefix}.full_layer_layer_norm"))


METHODS = {"albert": (albert, ALBERT_INPUTS)}
