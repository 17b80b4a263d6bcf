"""Every layer, with every rate above 0, in a subclassed model of a user's own.

As a program, it loads the models of a folder in a new process and compares what they give.
"""

import inspect
import sys
from pathlib import Path

import numpy as np
from tensorflow import keras

from tfcompress import layers

WIDTH, LENGTH, VOCABULARY = 16, 6, 30
RATE = 0.3


def attention(**options):
    return layers.MultiHeadAttention(2, dropout=RATE, **options)


def feed_forward():
    return layers.FeedForward(12, dropout=RATE)


def transform():
    return layers.DExTraBlock(8, num_layers=2, dropout=RATE)


def convolution(layer_class=layers.DynamicConv):
    return layer_class(kernel_size=3, num_heads=2, weight_dropout=RATE)


def encoder_layer():
    return layers.TransformerEncoderLayer(attention(), feed_forward=feed_forward(), dropout=RATE)


@keras.utils.register_keras_serializable("tests")
class LateAttention(keras.layers.Layer):
    """A user's sub-layer that gets its weights when it is called."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(WIDTH)

    def call(self, inputs, padding_mask=None, training=None):
        return self.dense(inputs)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], WIDTH)


EMBEDDINGS = {
    "FactorizedEmbedding": lambda: layers.FactorizedEmbedding(
        VOCABULARY,
        hidden_dim=WIDTH,
        embedding_dim=8,
        dropout=RATE,
        token_types=2,
        normalize=True,
        tie="own",
        positions=layers.LearnedPosition(LENGTH),
        use_output_bias=True,
    ),
    "AdaptiveEmbedding": lambda: layers.AdaptiveEmbedding(
        VOCABULARY, hidden_dim=WIDTH, cutoffs=(10, 20), factor=2, dropout=RATE
    ),
    "DeFINEEmbedding": lambda: layers.DeFINEEmbedding(
        VOCABULARY,
        hidden_dim=WIDTH,
        embedding_dim=8,
        num_layers=2,
        dropout=RATE,
        transform_dropout=RATE,
    ),
    "DExTraEmbedding": lambda: layers.DExTraEmbedding(
        VOCABULARY,
        hidden_dim=WIDTH,
        embedding_dim=8,
        num_layers=2,
        dropout=RATE,
        transform_dropout=RATE,
    ),
}
OTHERS = {
    "DExTraBlock": lambda: layers.DExTraBlock(WIDTH, num_layers=3, dropout=RATE),
    "DeLighTDecoderLayer": lambda: layers.DeLighTDecoderLayer(
        transform(),
        self_attention=layers.MultiHeadAttention(1, output_dim=WIDTH, causal=True, dropout=RATE),
        cross_attention=attention(),
        feed_forward=feed_forward(),
        dropout=RATE,
    ),
    "DeLighTEncoderLayer": lambda: layers.DeLighTEncoderLayer(
        transform(),
        attention=layers.MultiHeadAttention(1, output_dim=WIDTH, dropout=RATE),
        feed_forward=feed_forward(),
        dropout=RATE,
    ),
    "Dense": lambda: layers.Dense(WIDTH),
    "Dropout": lambda: layers.Dropout(RATE),
    "DynamicConv": convolution,
    "FeedForward": feed_forward,
    "FixedPatternAttention": lambda: layers.FixedPatternAttention(
        ("previous", "next"), num_learned_heads=2, dropout=RATE
    ),
    "GroupLinear": lambda: layers.GroupLinear(WIDTH, num_groups=2, normalize=True, dropout=RATE),
    "HierarchicalGroupTransform": lambda: layers.HierarchicalGroupTransform(
        (16, 32, 16), num_groups=(2, 4, 2), dropout=RATE
    ),
    "LSRA": lambda: layers.LSRA(attention(), convolution=convolution()),
    "LayerDropWrapper": lambda: layers.LayerDropWrapper(encoder_layer(), rate=RATE, learned=True),
    "LayerNormalization": layers.LayerNormalization,
    "LearnedPosition": lambda: layers.LearnedPosition(LENGTH),
    "LightweightConv": lambda: convolution(layers.LightweightConv),
    "MultiHeadAttention": lambda: attention(gated=True),
    "SinusoidalPosition": layers.SinusoidalPosition,
    "TheseusModule": lambda: layers.TheseusModule(
        [encoder_layer(), encoder_layer()], successor=encoder_layer(), rate=RATE
    ),
    "TransformerDecoderLayer": lambda: layers.TransformerDecoderLayer(
        attention(causal=True),
        cross_attention=attention(),
        feed_forward=feed_forward(),
        dropout=RATE,
    ),
    "TransformerEncoderLayer": encoder_layer,
    "UnitNormalization": layers.UnitNormalization,
    "late in an encoder layer": lambda: layers.TransformerEncoderLayer(
        LateAttention(), feed_forward=feed_forward(), dropout=RATE
    ),
    "late in LSRA": lambda: layers.LSRA(LateAttention()),
    "late in LayerDropWrapper": lambda: layers.LayerDropWrapper(LateAttention(), rate=RATE),
    "late in TheseusModule": lambda: layers.TheseusModule(
        [LateAttention()], successor=LateAttention(), rate=RATE
    ),
}
LAYERS = {**EMBEDDINGS, **OTHERS}


@keras.utils.register_keras_serializable("tests")
class Subclassed(keras.Model):
    """A classifier of tokens around one layer.

    Args:
        layer_name: One of `LAYERS`.
        **kwargs: Keyword arguments of `keras.Model`.
    """

    def __init__(self, layer_name: str, **kwargs):
        super().__init__(**kwargs)
        self.layer_name = layer_name
        self.inner = LAYERS[layer_name]()
        if layer_name not in EMBEDDINGS:
            self.table = keras.layers.Embedding(VOCABULARY, WIDTH)
        self.head = keras.layers.Dense(3)

    def call(self, ids, training=None):
        x = ids if self.layer_name in EMBEDDINGS else self.table(ids)
        options = {"memory": x} if "Decoder" in self.layer_name else {}
        if "training" in _arguments(self.inner):
            options["training"] = training
        return self.head(self.inner(x, **options))

    def get_config(self):
        return {**super().get_config(), "layer_name": self.layer_name}


def _arguments(layer):
    return inspect.signature(layer.call).parameters


def ids() -> np.ndarray:
    return np.random.default_rng(0).integers(0, VOCABULARY, (8, LENGTH)).astype("int32")


def compile_and_fit(model):
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(ids(), ids() % 3, batch_size=4, verbose=0)


def check(folder: Path) -> None:
    """Prints which models of a folder do not give what is noted beside them."""
    for path in sorted(folder.glob("*.keras")):
        model = keras.models.load_model(path)
        expected = np.load(path.with_suffix(".npz"))
        worst = np.max(np.abs(model.predict(ids(), verbose=0) - expected["output"]))
        if worst > 1e-6 or model.count_params() != expected["parameters"]:
            print(f"{path.stem}: {worst:.1e}, {model.count_params()} parameters", flush=True)


if __name__ == "__main__":
    check(Path(sys.argv[1]))
