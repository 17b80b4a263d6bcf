"""Lightweight and dynamic convolution."""

from fidelity.weights import linear

from tfcompress import layers

LAYERS = {"lightweight": layers.LightweightConv, "dynamic": layers.DynamicConv}


def lightweight(config, arrays):
    return _run("lightweight", config, arrays)


def dynamic(config, arrays):
    return _run("dynamic", config, arrays)


def _run(layer_type, config, arrays):
    kernel_size, before = config["K"], config["padding_l"]
    causal = before == kernel_size - 1
    assert causal or before == kernel_size // 2, f"padding_l={before}"
    layer = convolution(
        layer_type,
        arrays,
        "",
        kernel_size,
        config["heads"],
        causal=causal,
        weight_softmax=config["weight_softmax"],
    )
    x = arrays["in/x"].swapaxes(0, 1)
    layer.build((None, None, config["C"]))
    load_convolution(layer, arrays, "")
    return {"out/y": layer(x).numpy().swapaxes(0, 1)}


def convolution(layer_type, arrays, prefix, kernel_size, num_heads, **options):
    """Makes a convolution with the dense layers that there are weights for.

    The configuration's `glu` does not tell: a lightweight convolution has no gate all the same.
    Padding is cleared before the first dense layer, as in the reference code.
    """
    linear1 = arrays.get(f"w/{prefix}linear1.weight")
    project = linear1 is not None
    gated = project and linear1.shape[0] == 2 * linear1.shape[1]
    options |= {"project": project, "gated": gated, "mask_after_linear": False}
    return LAYERS[layer_type](kernel_size, num_heads=num_heads, **options)


def load_convolution(layer, arrays, prefix):
    """Loads the weights of a convolution that is built."""
    if isinstance(layer, layers.DynamicConv):
        layer.weight_linear.set_weights([arrays[f"w/{prefix}weight_linear.weight"].T])
    else:
        layer.kernel.assign(arrays[f"w/{prefix}weight"][:, 0])
    if layer.project:
        layer.linear1.set_weights(linear(arrays, f"{prefix}linear1"))
        layer.linear2.set_weights(linear(arrays, f"{prefix}linear2"))


METHODS = {"lightconv": (lightweight, ("in/x",)), "dynconv": (dynamic, ("in/x",))}
