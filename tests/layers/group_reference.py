"""The grouped layers once more in numpy, index by index as the papers define them."""

import numpy as np


def group_linear(x, weights, activation, *, shuffle=False, use_bias=True, epsilon=1e-5):
    """A grouped linear layer from `kernel, bias, gamma, beta`, without what it has not."""
    kernel, *others = (np.asarray(w, np.float64) for w in weights)
    groups, inputs, units = kernel.shape
    bias = others.pop(0) if use_bias else np.zeros(groups * units)
    rows = []
    for row in np.asarray(x, np.float64).reshape(-1, groups * inputs):
        y = np.zeros((groups, units))
        for k in range(groups):
            y[k] = (
                row[k * inputs : (k + 1) * inputs] @ kernel[k] + bias[k * units : (k + 1) * units]
            )
        if shuffle:
            shuffled = np.zeros(groups * units)
            for k in range(groups):
                for p in range(units):
                    shuffled[p * groups + k] = y[k, p]
            y = shuffled.reshape(groups, units)
        if others:
            gamma, beta = others
            y = [(z - z.mean()) / np.sqrt(z.var() + epsilon) * gamma + beta for z in y]
        rows.append(np.concatenate(y))
    return activation(np.reshape(rows, (*np.shape(x)[:-1], groups * units)))


def mix(x, y, groups):
    """Puts a group's part of `x` in front of its part of `y`, group after group."""
    parts = zip(np.split(x, groups, axis=-1), np.split(y, groups, axis=-1))
    return np.concatenate([part for both in parts for part in both], axis=-1)


def transform(x, layers, activation, **options):
    """A chain of grouped layers, from the weights of each."""
    y = group_linear(x, layers[0], activation, **options)
    for weights in layers[1:]:
        mixed = mix(x, y, len(weights[0]))
        y = group_linear(mixed, weights, activation, **options)
    return y


def dextra(x, first, layers, last, activation, *, shuffle, **options):
    """A DExTra block, from the weights of each layer."""
    x = group_linear(x, first, activation, **options)
    y = transform(x, layers, activation, shuffle=shuffle, **options)
    return group_linear(np.concatenate([x, y], axis=-1), last, activation, **options)


def dextra_of(block, x, activation, *, shuffle):
    """What a `DExTraBlock` must give."""
    layers = (block.input_projection, *block.transform.group_layers, block.output_projection)
    first, *inner, last = (layer.get_weights() for layer in layers)
    options = {"shuffle": shuffle, "use_bias": block.use_bias, "epsilon": block.epsilon}
    return dextra(x, first, inner, last, activation, **options)


def swish(x):
    return x / (1 + np.exp(-x))


def identity(x):
    return x


def linear_parameters(inputs, units, groups=1, bias=True, normalize=True):
    """The closed formula of one layer."""
    count = inputs * units // groups
    return count + (units if bias else 0) + (2 * units // groups if normalize else 0)


def dextra_parameters(width, units, projection, schedule, **options):
    """The closed formula of a block."""
    inner = zip(schedule.inputs, schedule.outputs, schedule.groups)
    return (
        linear_parameters(width, projection, **options)
        + sum(linear_parameters(*sizes, **options) for sizes in inner)
        + linear_parameters(projection + schedule.outputs[-1], units, **options)
    )
