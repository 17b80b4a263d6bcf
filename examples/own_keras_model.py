"""A Keras model of your own: fewer heads, quantized, a bundle, and run without TensorFlow.

    python examples/own_keras_model.py bundle

Trains a tagger on made-up sequences (whether a number is larger than the one before), measures its
heads, takes the least important ones out, exports it, and runs the bundle.
"""

import sys

import numpy as np
from tensorflow import keras

import tfcompress as tfc

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)
ids = rng.integers(1, 100, (512, 16)).astype("int32")
labels = (ids > np.pad(ids, [(0, 0), (1, 0)])[:, :-1]).astype("int32")

# Layers of this library and Keras' own, in the functional API.
inputs = keras.Input((None,), dtype="int32", name="ids")
x = tfc.layers.SinusoidalPosition()(keras.layers.Embedding(100, 64)(inputs))
for i in range(2):
    x = tfc.layers.TransformerEncoderLayer(
        tfc.layers.MultiHeadAttention(8, name=f"attention_{i}"),
        feed_forward=tfc.layers.FeedForward(128),
    )(x)
model = keras.Model(inputs, keras.layers.Dense(2, name="logits")(x))
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(keras.optimizers.Adam(0.001), loss)
model.fit(ids, labels, batch_size=32, epochs=5, verbose=0)

# The four least important of its sixteen heads go for good.
scores = tfc.surgery.head_importance(model, [(ids[:128], labels[:128])])
smaller = tfc.surgery.prune_heads(model, drop=tfc.surgery.heads_to_prune(scores, 4))
print(f"{model.count_params()} parameters, then {smaller.count_params()}")

manifest = tfc.export.convert(
    smaller,
    sys.argv[1],
    signatures={"tag": tfc.export.Signature()},
    quantization="dynamic_int8",
    samples=[ids[:8]],
    force=True,
)
print(f"{manifest['files']['model.tflite']['bytes']} bytes; parity: {manifest['parity']['tag']}")

# From here on, TensorFlow is not needed.
with tfc.runtime.KerasModel(sys.argv[1]) as bundle:
    logits = bundle.run({"ids": ids}, signature="tag")["logits"]
print(f"accuracy {np.mean(logits.argmax(-1) == labels):.3f}")
