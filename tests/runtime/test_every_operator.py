"""Every operator that a model's configuration leads to is one that the native runtime takes."""

import json

import numpy as np
import pytest
import tensorflow as tf
from flavours import one_flavour
from mutants import MANIFEST, MODEL, signed
from native_library import NativeLibrary
from small_encoders import PIECES
from tensorflow import keras

from tfcompress.export.conversion.saving import save_functions
from tfcompress.export.graph import flatbuffer
from tfcompress.export.graph.model_file import lower
from tfcompress.layers import FixedPatternAttention, LightweightConv, WordIds
from tfcompress.layers.common.activations import get_activation
from tfcompress.models.mixers.fixed_patterns import PATTERNS
from tfcompress.models.rules import ACTIVATIONS

pytestmark = one_flavour

IDS = [2, 9, 4, 7, 5, 3]
WIDTH = 16


class Signature(keras.layers.Layer):
    """A function of token ids as a bundle's only one."""

    names = ("encode",)

    def __init__(self, function, layers=()):
        super().__init__()
        table = tf.constant(np.random.randn(len(PIECES), WIDTH), tf.float32)
        self.parts = list(layers)
        self.encode = lambda ids: {"states": function(ids, tf.gather(table, ids))}

    def save(self, path):
        inputs = [tf.TensorSpec([1, None], tf.int32, "token_ids")]
        save_functions(path, self, {"encode": (self.encode, inputs)}, ())


def run(built, bundle, tmp_path, signature):
    """What the native runtime gives, and what TensorFlow does."""
    expected = signature.encode(tf.constant([IDS]))["states"].numpy()[0]
    files = {path.name: path.read_bytes() for path in bundle.iterdir()}
    manifest = json.loads(files[MANIFEST])
    output = {"width": expected.shape[-1], "per_token": True}
    manifest |= {"token_types": 0, "head": None, "outputs": {"states": output}}
    model = flatbuffer.write(lower(signature, tmp_path))
    library = NativeLibrary(built / "libtfcompress.so")
    handle = library.open_encoder_memory(
        signed(files | {MANIFEST: json.dumps(manifest).encode(), MODEL: model})
    )
    actual = library.encode_ids(handle, IDS)[1]["states"]
    library.free_encoder(handle)
    return actual, expected


def test_activations(built, encoder_bundles, tmp_path):
    matrix = tf.constant(np.random.randn(WIDTH, WIDTH), tf.float32)

    def every(_, x):
        # By themselves and in a product, none of whose parts two of them share.
        x = tf.reshape(x, [-1, WIDTH])
        inputs = [tf.sin(x * number) for number in range(1, 1 + len(ACTIVATIONS))]
        both = [call(one) for one in inputs for call in (tf.identity, lambda y: y @ matrix)]
        names = [name for name in ACTIVATIONS for _ in range(2)]
        results = [get_activation(name)(one) for name, one in zip(names, both)]
        return tf.concat(results, -1)[tf.newaxis]

    actual, expected = run(built, encoder_bundles[None], tmp_path, Signature(every))
    np.testing.assert_allclose(actual, expected, atol=1e-4)


@pytest.mark.parametrize("edges", ["zero", "self"])
def test_patterns_between_words_and_convolutions(built, encoder_bundles, tmp_path, edges):
    words = WordIds(len(PIECES))
    fixed = FixedPatternAttention(PATTERNS, head_dim=2, edges=edges)
    lightweight = LightweightConv(5, num_heads=4)

    def both(token_ids, x):
        return lightweight(fixed(x, word_ids=words(token_ids)))

    both(tf.constant([IDS]), tf.zeros([1, len(IDS), WIDTH]))
    words.set_word_starts(np.arange(len(PIECES)) % 2 == 0)
    signature = Signature(both, [words, fixed, lightweight])
    actual, expected = run(built, encoder_bundles[None], tmp_path, signature)
    np.testing.assert_allclose(actual, expected, atol=1e-4)
