"""Lite Transformer: encoder and decoder layers with long-short range attention."""

from fidelity.methods.convolution import convolution, load_convolution
from fidelity.weights import affine, linear
from tensorflow import keras

from tfcompress import layers


@keras.utils.register_keras_serializable("tests")
def gelu_approximate(x):
    """The tanh approximation, which fairseq calls accurate, or fast."""
    return keras.activations.gelu(x, approximate=True)


# What Keras calls otherwise. GELU is the exact one in both.
ACTIVATIONS = {
    "gelu_accurate": gelu_approximate,
    "gelu_fast": gelu_approximate,
    "gelu tanh approximation": gelu_approximate,
    "gelu(erf)": "gelu",
}
INPUTS = ("in/x", "in/padding_mask", "in/enc", "in/enc_padding_mask", "in/causal_mask")


def encoder_layer(config, arrays):
    """With the padding mask and without it."""
    branches = _branches(config, arrays, causal=False)
    layer = layers.TransformerEncoderLayer(
        _lsra(branches), feed_forward=_feed_forward(config), **_options(config)
    )
    layer.build((None, None, config["E"]))
    _load_branches(branches, arrays)
    layer.attention_normalization.set_weights(affine(arrays, "self_attn_layer_norm"))
    _load_feed_forward(layer, arrays)
    x = arrays["in/x"].swapaxes(0, 1)

    def run(mask):
        return layer(x, padding_mask=mask).numpy().swapaxes(0, 1)

    return _with_and_without(run, arrays.get("in/padding_mask"))


def decoder_layer(config, arrays):
    """With the mask of the memory, where there is one, and without it."""
    memory = arrays["in/enc"].swapaxes(0, 1)
    branches = _branches(config, arrays, causal=True)
    layer = layers.TransformerDecoderLayer(
        _lsra(branches),
        cross_attention=layers.MultiHeadAttention(
            config["cross_heads"], memory_dim=memory.shape[-1]
        ),
        feed_forward=_feed_forward(config),
        **_options(config),
    )
    x = arrays["in/x"].swapaxes(0, 1)
    layer(x, memory=memory)
    _load_branches(branches, arrays)
    _load_attention(layer.cross_attention, arrays, "encoder_attn")
    layer.self_attention_normalization.set_weights(affine(arrays, "self_attn_layer_norm"))
    layer.cross_attention_normalization.set_weights(affine(arrays, "encoder_attn_layer_norm"))
    _load_feed_forward(layer, arrays)

    def run(mask):
        return layer(x, memory=memory, memory_padding_mask=mask).numpy().swapaxes(0, 1)

    return _with_and_without(run, arrays.get("in/enc_padding_mask"))


def _with_and_without(run, padding):
    plain = run(None)
    if padding is None:
        return {"out/y": plain, "out/y_nomask": plain}
    masked = run(~padding.astype(bool))
    return {"out/y": masked, "out/y_mask": masked, "out/y_nomask": plain}


def _branches(config, arrays, causal):
    """Makes the branches; returns them with their widths, in order."""
    branches = []
    for index, branch in enumerate(config["branches"]):
        branch_type, kernel_size, width, heads = branch.split(":")
        if branch_type == "attn":
            layer = layers.MultiHeadAttention(int(heads), causal=causal)
        else:
            layer = convolution(
                branch_type,
                arrays,
                f"self_attn.branches.{index}.",
                config["kernel"] if kernel_size == "default" else int(kernel_size),
                int(heads),
                causal=causal,
                weight_softmax=config.get("weight_softmax", True),
            )
        branches.append((layer, int(width)))
    return branches


def _lsra(branches):
    """The first branch takes the first channels, whichever it is; further ones are nested."""
    (first, width), *others = branches
    if not others:
        return layers.LSRA(first)
    rest = others[0][0] if len(others) == 1 else _lsra(others)
    return layers.LSRA(first, convolution=rest, attention_dim=width)


def _load_branches(branches, arrays):
    for index, (branch, _) in enumerate(branches):
        prefix = f"self_attn.branches.{index}"
        if isinstance(branch, layers.MultiHeadAttention):
            _load_attention(branch, arrays, prefix)
        else:
            load_convolution(branch, arrays, f"{prefix}.")


def _feed_forward(config):
    activation = config["act"]
    return layers.FeedForward(config["ffn"], activation=ACTIVATIONS.get(activation, activation))


def _options(config):
    return {"normalize_first": config["normalize_before"], "epsilon": config.get("ln_eps", 1e-5)}


def _load_attention(layer, arrays, prefix):
    parts = [layer.query, layer.key, layer.value, layer.output_projection]
    for part, name in zip(parts, ("q_proj", "k_proj", "v_proj", "out_proj")):
        part.set_weights(linear(arrays, f"{prefix}.{name}"))


def _load_feed_forward(layer, arrays):
    layer.feed_forward.inner.set_weights(linear(arrays, "fc1"))
    layer.feed_forward.outer.set_weights(linear(arrays, "fc2"))
    layer.feed_forward_normalization.set_weights(affine(arrays, "final_layer_norm"))


METHODS = {
    "lsra_enc_layer": (encoder_layer, INPUTS),
    "lsra_dec_layer": (decoder_layer, INPUTS),
}
