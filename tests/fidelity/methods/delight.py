"""DeLighT: grouped linear layers, the DExTra block, its embedding and its layers."""

import re

import numpy as np
import tensorflow as tf
from fidelity.weights import affine
from tensorflow import keras

from tfcompress import layers
from tfcompress.layers.hierarchical_group_transform import mix_groups


def _leaky_relu(x):
    return tf.nn.leaky_relu(x, 0.01)


# What Keras calls otherwise, or computes otherwise. GELU is the exact one in both.
ACTIVATIONS = {
    "leaky": _leaky_relu,
    "leaky_relu": _leaky_relu,
    "celu": "elu",
    "gelu(erf)": "gelu",
    "identity": None,
}
X = ("in/x",)


def group_linear(config, arrays):
    """One grouped linear layer; of one group, the reference code makes a linear layer."""
    layer = layers.GroupLinear(
        config["out_features"],
        num_groups=config["n_groups"],
        shuffle=config["use_shuffle"],
        activation=activation(config),
        normalize=normalizes(config),
        epsilon=epsilon(config),
        use_bias=config["use_bias"],
    )
    layer.build((None, config["in_features"]))
    load_group_linear(layer, arrays)
    return {"out/y": layer(arrays["in/x"])}


def dextra(config, arrays):
    """A DExTra block, or DeFINE's transform, and what each layer in it takes and gives."""
    block = dextra_block(
        config,
        config["out_features"],
        config["width_multiplier"],
        config["in_proj_features"],
        config["max_glt_groups"],
        schedule="released" if config.get("is_iclr_version") else "dextra",
        shuffle=config["glt_shuffle"],
    )
    width = config["in_features"]
    block.build((None, None, width))
    load_dextra(block, arrays)
    schedule = block.group_schedule
    expected = {"groups_per_layer": "groups", "glt_in": "inputs", "glt_out": "outputs"}
    for key, name in expected.items():
        assert tuple(config.get(key, getattr(schedule, name))) == getattr(schedule, name)
    _check_counts(config, block)
    if "macs_params" in config and config.get("use_bias", True):
        # Of one position: biases count, normalizations do not.
        inner = (block.input_projection, *block.transform.group_layers, block.output_projection)
        norms = sum(layer.normalization.count_params() for layer in inner if layer.normalize)
        assert block.count_params() - norms == config["macs_params"]["macs"]

    x = arrays["in/x"].reshape(-1, width)
    found = {"input_layer_in": x, "input_layer_out": block.input_projection(x)}
    projected = y = found["input_layer_out"]
    for index, layer in enumerate(block.transform.group_layers):
        mixed = mix_groups(projected, y, layer.num_groups) if index else projected
        y = layer(mixed)
        found |= {f"glt{index}_in": mixed, f"glt{index}_out": y}
    found["output_layer_in"] = np.concatenate([projected, y], axis=-1)
    found["output_layer_out"] = block.output_projection(found["output_layer_in"])
    leading = arrays["in/x"].shape[:-1]
    parts = {f"out/{k}": np.reshape(v, (*leading, -1)) for k, v in found.items()}
    return {"out/y": block(arrays["in/x"]), **parts}


def dextra_embedding(config, arrays):
    """The embedding: table, scale, DExTra block."""
    layer = layers.DExTraEmbedding(
        config["vocab"],
        hidden_dim=config["out_dim"],
        embedding_dim=config["map_dim"],
        num_layers=config["depth"],
        width_multiplier=config["width_mult"],
        max_groups=config["max_groups"],
        projection_dim=config["in_proj"],
        scale=config["embed_scale"],
        tie="none",
        shuffle=config.get("glt_shuffle", True),
        activation=activation(config),
        normalize=normalizes(config),
        epsilon=epsilon(config),
    )
    ids = arrays["in/ids"].astype("int32")
    layer.build((None, None))
    layer.table.set_weights([arrays["w/map_layer.weight"]])
    load_dextra(layer.transform, arrays, "dextra_layer.")
    return {"out/y": layer(ids)}


def encoder_layer(config, arrays):
    """The encoder layer, with and without padding. Arrays are `[length, batch, width]`."""
    width = config["embed_dim"]
    layer = layers.DeLighTEncoderLayer(
        _transform(config, arrays, "dextra_layer"),
        attention=layers.MultiHeadAttention(1, output_dim=width),
        feed_forward=_feed_forward(config, arrays),
        normalize_first=config["normalize_before"],
        epsilon=epsilon(config),
    )
    x = arrays["in/x"].swapaxes(0, 1)
    layer.build(x.shape)
    load_dextra(layer.transform, arrays, "dextra_layer.")
    _load_self_attention(layer.attention, arrays)
    layer.attention_normalization.set_weights(affine(arrays, "self_attn_layer_norm"))
    _load_feed_forward(layer, arrays)
    _check_counts(config, layer)
    tokens = ~arrays["in/padding_mask"] if "in/padding_mask" in arrays else None
    outputs = {"y_nomask": layer(x), "y_mask": layer(x, padding_mask=tokens)}
    outputs["y"] = outputs["y_mask"]
    return {f"out/{name}": np.swapaxes(y, 0, 1) for name, y in outputs.items()}


def decoder_layer(config, arrays):
    """The decoder layer, whole and step by step. Arrays are `[length, batch, width]`."""
    width = config["embed_dim"]
    crosses = "in/enc" in arrays
    across = None
    if crosses:
        inner, memory_dim = (
            arrays[f"w/encoder_attn.linear_{k}.weights"].shape for k in ("q", "kv")
        )
        across = layers.MultiHeadAttention(1, head_dim=inner[0], memory_dim=memory_dim[1])
    layer = layers.DeLighTDecoderLayer(
        _transform(config, arrays, "dextra_layer_sa"),
        self_attention=layers.MultiHeadAttention(1, causal=True, output_dim=width),
        cross_attention=across,
        feed_forward=_feed_forward(config, arrays),
        normalize_first=config["normalize_before"],
        epsilon=epsilon(config),
    )
    x = arrays["in/x"].swapaxes(0, 1)
    layer.build(x.shape)
    load_dextra(layer.transform, arrays, "dextra_layer_sa.")
    _load_self_attention(layer.self_attention, arrays)
    layer.self_attention_normalization.set_weights(affine(arrays, "self_attn_layer_norm"))
    _load_feed_forward(layer, arrays)
    memory, masked = {}, {}
    if crosses:
        _load_cross_attention(layer.cross_attention, arrays)
        layer.cross_attention_normalization.set_weights(affine(arrays, "encoder_attn_layer_norm"))
        memory["memory"] = arrays["in/enc"].swapaxes(0, 1)
        if "in/enc_padding_mask" in arrays:
            masked["memory_padding_mask"] = ~arrays["in/enc_padding_mask"]
    _check_counts(config, layer)

    y = layer(x, **memory, **masked)
    cache = layer.init_cache(len(x), x.shape[1], **memory)
    for position in range(x.shape[1]):
        row, cache = layer.step(x[:, position], position, cache, **masked)
        np.testing.assert_allclose(row, y[:, position], atol=1e-5)
    return {"out/y": np.swapaxes(y, 0, 1)}


def activation(config):
    """The activation of a configuration; DeLighT's own where none is named."""
    name = config.get("act_type", config.get("act", "swish"))
    return ACTIVATIONS.get(name, name)


def normalizes(config):
    """Whether the layers normalize."""
    normalization = config.get("norm_type", config.get("norm", "ln"))
    if normalization is not None and not normalization.startswith("ln"):
        raise NotImplementedError(f"normalization {normalization!r}")
    return normalization is not None


def epsilon(config):
    """The epsilon of the normalizations, PyTorch's where none is named."""
    named = re.search(r"eps *=? *([0-9.e+-]+)", config.get("norm") or "")
    return float(named[1]) if named else 1e-5


def dextra_block(config, units, width_multiplier, projection_dim, max_groups, **options):
    """The block that a configuration describes; always with biases, in case some layer has one."""
    return layers.DExTraBlock(
        units,
        num_layers=config["dextra_depth"],
        width_multiplier=width_multiplier,
        projection_dim=projection_dim,
        max_groups=max_groups,
        activation=activation(config),
        normalize=normalizes(config),
        epsilon=epsilon(config),
        **options,
    )


def load_group_linear(layer, arrays, prefix=""):
    """Loads `[g, in, out]` weights, or of one group `[out, in]`; what has no bias gets zeros."""
    kernel = arrays[f"w/{prefix}weights"]
    weights = [kernel.T[np.newaxis] if kernel.ndim == 2 else kernel]
    if layer.use_bias:
        bias = arrays.get(f"w/{prefix}bias", np.zeros(layer.output_dim))
        weights.append(bias.reshape(-1))
    if layer.normalize:
        weights += affine(arrays, f"{prefix}normalization_fn")
    layer.set_weights(weights)


def load_dextra(block, arrays, prefix=""):
    """Loads a whole block."""
    load_group_linear(block.input_projection, arrays, f"{prefix}input_layer.")
    for index, layer in enumerate(block.transform.group_layers):
        load_group_linear(layer, arrays, f"{prefix}dextra_layers.{index}.")
    load_group_linear(block.output_projection, arrays, f"{prefix}output_layer.")


def _transform(config, arrays, prefix):
    return dextra_block(
        config,
        len(arrays[f"w/{prefix}.output_layer.weights"]),
        config["width_multiplier"],
        len(arrays[f"w/{prefix}.input_layer.weights"]),
        config["max_groups"],
        shuffle=config.get("glt_shuffle", True),
    )


def _feed_forward(config, arrays):
    inner = len(arrays["w/fc1.weights"])
    assert inner == config["embed_dim"] // config["ffn_red"]
    return layers.FeedForward(inner, activation=keras.activations.get(activation(config)))


def _load_self_attention(attention, arrays):
    parts = _split(arrays, "self_attn.linear_kqv", 3)
    for layer, weights in zip((attention.query, attention.key, attention.value), parts):
        layer.set_weights(weights)
    attention.output_projection.set_weights(*_split(arrays, "self_attn.out_proj", 1))


def _load_cross_attention(attention, arrays):
    attention.query.set_weights(*_split(arrays, "encoder_attn.linear_q", 1))
    for layer, weights in zip(
        (attention.key, attention.value), _split(arrays, "encoder_attn.linear_kv", 2)
    ):
        layer.set_weights(weights)
    attention.output_projection.set_weights(*_split(arrays, "encoder_attn.out_proj", 1))


def _load_feed_forward(layer, arrays):
    layer.feed_forward.inner.set_weights(*_split(arrays, "fc1", 1))
    layer.feed_forward.outer.set_weights(*_split(arrays, "fc2", 1))
    layer.feed_forward_normalization.set_weights(affine(arrays, "final_layer_norm"))


def _split(arrays, name, parts):
    """The weights of the dense layers whose rows a linear layer's `[out, in]` weights stack."""
    kernels = np.split(arrays[f"w/{name}.weights"], parts)
    biases = np.split(arrays[f"w/{name}.bias"], parts)
    return [[kernel.T, bias] for kernel, bias in zip(kernels, biases)]


def _check_counts(config, layer):
    for name, counts in config.items():
        if name.startswith("macs_params") and config.get("use_bias", True):
            assert layer.count_params() == counts["params"]


METHODS = {
    "delight_glt": (group_linear, X),
    "delight_dextra": (dextra, X),
    "delight_dextra_emb": (dextra_embedding, ("in/ids",)),
    "delight_enc_layer": (encoder_layer, ("in/x", "in/padding_mask")),
    "delight_dec_layer": (
        decoder_layer,
        ("in/x", "in/enc", "in/enc_padding_mask", "in/causal_mask"),
    ),
}
