"""Fixed attention patterns."""

import re

import numpy as np

from tfcompress.layers import FixedPatternAttention
from tfcompress.layers.common.fixed_patterns import PATTERNS


class WordIds:
    """The inputs of a file of patterns: all arrays of this name."""

    def __contains__(self, name):
        return name.startswith("word_ids_")


def fixed_patterns(config, arrays):
    """Every array of weights, `[patterns, n, n]`, as the layer applies them to unit vectors."""
    outputs = {}
    for name, reference in arrays.items():
        if name in WordIds():
            continue
        unit, case, edges = re.fullmatch("(token|word)_(.+)_(zero|self)", name).groups()
        word_ids = arrays[f"word_ids_{case}"] if unit == "word" else None
        outputs[name] = _weights(*reference.shape[:2], edges, word_ids)
    return outputs


def _weights(heads, length, edges, word_ids):
    layer = FixedPatternAttention(PATTERNS[:heads], edges=edges, use_bias=False)
    x = np.tile(np.eye(length, dtype="float32"), heads)[np.newaxis]
    layer.build(x.shape)
    layer.set_weights([np.eye(heads * length)] * 2)
    y = layer(x, word_ids=None if word_ids is None else word_ids[np.newaxis])
    return np.transpose(np.reshape(y, (length, heads, length)), (1, 0, 2))


def fixed_attention_layer(config, arrays):
    """Layers of F fixed and L learned heads, named `y_<F>F<L>L`; padding is not compared."""
    outputs = {}
    longest = arrays["x"].shape[1]
    tokens = np.arange(longest) < arrays["lengths"][:, np.newaxis]
    for name, reference in arrays.items():
        if match := re.fullmatch(r"y_(\d+)F(?:(\d+)L)?", name):
            fixed, learned = (int(number or 0) for number in match.groups())
            layer = _loaded(config, arrays, fixed, learned)
            y = layer(arrays["x"].astype("float32"), padding_mask=tokens)
            outputs[name] = np.where(tokens[:, :, np.newaxis], y, reference)
    return outputs


def _loaded(config, arrays, fixed, learned):
    layer = FixedPatternAttention(
        PATTERNS[:fixed],
        num_learned_heads=learned,
        head_dim=arrays["w/Wv"].shape[1] // (fixed + learned),
        edges=config.get("edges", config.get("edge", "zero")),
        use_bias="w/bv" in arrays,
    )
    layer.build(arrays["x"].shape)
    parts = {"v": layer.value, "o": layer.output_projection}
    if learned:
        parts |= {"q": layer.query, "k": layer.key}
    for letter, part in parts.items():
        names = [f"w/W{letter}", f"w/b{letter}"]
        part.set_weights([arrays[name] for name in names if name in arrays])
    return layer


METHODS = {
    "fixed_patterns": (fixed_patterns, WordIds()),
    "fixed_attention_layer": (fixed_attention_layer, ("x", "lengths")),
}
