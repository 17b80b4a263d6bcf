"""What the methods cost next to what they replace, as ratios within one run.

    python benchmarks/costs.py --output benchmarks/results/costs.json

Width 512, length 128, batch 8, float32, the training graph on one thread. Rounds of the two sides
alternate; metrics are medians over the rounds, and the ratio is the median of the ratios within a
round. Below 1, the method is the cheaper side.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import numpy as np
import tensorflow as tf
from results_file import write_results
from tensorflow import keras

from tfcompress import layers
from tfcompress.models import Seq2SeqTransformer, preset

WIDTH, LENGTH, BATCH = 512, 128, 8
PATTERNS = (
    "current",
    "previous",
    "next",
    "left_context",
    "right_context",
    "sentence_end",
    "sentence_start",
    "last_token",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    x = np.random.default_rng(0).standard_normal((BATCH, LENGTH, WIDTH)).astype("float32")
    learned = layers.MultiHeadAttention(8)
    lsra = layers.LSRA(
        layers.MultiHeadAttention(4), convolution=layers.DynamicConv(31, num_heads=4)
    )
    dense = keras.Sequential(
        [keras.Input((None, WIDTH))]
        + [layers.Dense(units, activation="swish") for units in (1024, 1024, 1024, WIDTH // 2)]
    )
    pairs = {
        "8 fixed heads / 8 learned heads": (
            forward(layers.FixedPatternAttention(PATTERNS)),
            learned,
        ),
        "7 fixed + 1 learned / 8 learned heads": (
            forward(layers.FixedPatternAttention(PATTERNS[:7], num_learned_heads=1)),
            learned,
        ),
        "LSRA / full attention": (forward(lsra), learned),
        "DExTra block of depth 4 / dense block of its width": (
            forward(layers.DExTraBlock(WIDTH // 2, num_layers=4, width_multiplier=2.0)),
            dense,
        ),
    }
    rows = []
    for name, (method, replaced) in pairs.items():
        rows.append(compare(name, method, forward(replaced), x, options.rounds))
        print(rows[-1], flush=True)
    rows.append(
        compare(
            "training step, LayerDrop 0.5 / 0.0",
            training_step(0.5),
            training_step(0.0),
            x,
            options.rounds,
            repeats=16,
        )
    )
    print(rows[-1], flush=True)
    rows.append(memory())
    print(rows[-1], flush=True)
    write_results(options.output, {"rows": rows})


def forward(layer: keras.layers.Layer) -> Callable[[np.ndarray], object]:
    """Returns the layer's graph."""
    return tf.function(lambda x: layer(x, training=False))


def training_step(rate: float) -> Callable[[np.ndarray], object]:
    """Returns forward and backward pass of 6 layers that are left out at this rate."""
    stack = [
        layers.LayerDropWrapper(
            layers.TransformerEncoderLayer(
                layers.MultiHeadAttention(8), feed_forward=layers.FeedForward(4 * WIDTH)
            ),
            rate=rate,
        )
        for _ in range(6)
    ]
    for layer in stack:
        layer(np.zeros((1, 2, WIDTH), "float32"), training=True)
    weights = [v if isinstance(v, tf.Variable) else v.value for x in stack for v in x.weights]

    @tf.function
    def step(x):
        with tf.GradientTape() as tape:
            for layer in stack:
                x = layer(x, training=True)
            loss = tf.reduce_mean(tf.square(x))
        return tape.gradient(loss, weights)

    return step


def compare(name, method, replaced, x, rounds, repeats=4) -> dict:
    """Times both in alternating rounds."""
    x = tf.constant(x)
    for run in (method, replaced):
        run(x)
    times = {"method": [], "replaced": []}
    for _ in range(rounds):
        for key, run in (("method", method), ("replaced", replaced)):
            start = time.perf_counter()
            for _ in range(repeats):
                tf.nest.map_structure(lambda y: y.numpy() if y is not None else y, run(x))
            times[key].append((time.perf_counter() - start) / repeats)
    ratios = [a / b for a, b in zip(times["method"], times["replaced"])]
    return {
        "name": name,
        "method_ms": round(1e3 * statistics.median(times["method"]), 3),
        "replaced_ms": round(1e3 * statistics.median(times["replaced"]), 3),
        "ratio": round(statistics.median(ratios), 3),
    }


def memory() -> dict:
    """Bytes of the weights of a shared and an unshared stack."""
    config = preset("transformer_small")
    sizes = []
    for pattern in ("all", "none"):
        stacks = {}
        for side in ("encoder", "decoder"):
            mapping = config.to_mapping()[side] | {"sharing": {"pattern": pattern, "groups": 1}}
            stacks[side] = mapping
        model = Seq2SeqTransformer(type(config).from_mapping(config.to_mapping() | stacks)).model
        layers_of_stacks = [x for x in model.layers if x.name.startswith(("encoder", "decoder"))]
        sizes.append(4 * sum(layer.count_params() for layer in layers_of_stacks))
    return {
        "name": "bytes of the layers, shared / unshared (3 + 3 layers)",
        "method_bytes": sizes[0],
        "replaced_bytes": sizes[1],
        "ratio": round(sizes[0] / sizes[1], 3),
    }


if __name__ == "__main__":
    main()
