"""How the weights of the reference codes become those of layers."""


def linear(arrays, name):
    """A dense layer's weights from `[out, in]` arrays."""
    return [arrays[f"w/{name}.weight"].T, arrays[f"w/{name}.bias"]]


def affine(arrays, name):
    """A normalization's weights."""
    return [arrays[f"w/{name}.weight"], arrays[f"w/{name}.bias"]]
