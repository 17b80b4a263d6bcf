"""What was pruned, clustered or quantized in training computes the same once exported."""

import numpy as np
import pytest
from export_harness import assert_export_parity
from optimization.families import FAMILIES, VOCABULARY, make_family, slow_but, trained
from tensorflow import keras

from tfcompress.export import convert
from tfcompress.models import Seq2SeqTransformer
from tfcompress.optimization import (
    cluster_weights,
    prune,
    quantize_aware,
    strip_clustering,
    strip_pruning,
    strip_quantization,
)

pytestmark = pytest.mark.skipif(
    hasattr(keras, "ops"), reason="tf-model-optimization takes Keras 2 only"
)

# In every run; the others take their time.
_ALWAYS = {("fixed_patterns", "two_of_four")}


def schedule():
    from tensorflow_model_optimization.sparsity.keras import ConstantSparsity

    return ConstantSparsity(0.5, 0, frequency=1)


TRANSFORMATIONS = {
    "sparse": (lambda model: prune(model, schedule()), strip_pruning),
    "two_of_four": (lambda model: prune(model, schedule(), sparsity="2:4"), strip_pruning),
    "blocks": (lambda model: prune(model, schedule(), sparsity="block_1x4"), strip_pruning),
    "clustered": (lambda model: cluster_weights(model, 8), strip_clustering),
    "quantized": (quantize_aware, strip_quantization),
}


def transformed(transformer, name) -> Seq2SeqTransformer:
    """Trains a few steps under a transformation, and returns the plain result."""
    from tensorflow_model_optimization.sparsity.keras import UpdatePruningStep

    wrap, strip = TRANSFORMATIONS[name]
    model = wrap(transformer.model)
    callbacks = [] if strip in (strip_clustering, strip_quantization) else [UpdatePruningStep()]
    trained(model, learning_rate=0.005, steps=3, callbacks=callbacks)
    return Seq2SeqTransformer(transformer.config, model=strip(model))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "name"),
    slow_but(_ALWAYS, FAMILIES, TRANSFORMATIONS),
)
def test_families(family, name):
    """Dynamic and static integers, each with parity and every weight stored once."""
    plain = transformed(make_family(family), name)
    sources = np.random.default_rng(0).integers(4, VOCABULARY, (20, 7))
    sources[:, -1] = plain.config.eos_id
    for quantization in ("dynamic_int8", "static_int8"):
        static = quantization == "static_int8"
        assert_export_parity(
            plain, quantization=quantization, representative_data=sources if static else None
        )


@pytest.mark.slow
def test_skipped_weights_stay_in_float32_by_a_plan(tmp_path):
    skip = "^encoder_layer_0/|^embedding/"
    transformer = make_family("plain")
    model = quantize_aware(transformer.model, bits=4, block_size=32, skip=skip)
    plain = Seq2SeqTransformer(transformer.config, model=strip_quantization(model))
    scheme = {skip: "float32", ".": "int4"}
    manifest = convert(plain, tmp_path / "bundle", quantization="mixed", quantization_scheme=scheme)
    assert manifest["parity"]["mean_log_probability_difference"] < 0.05
    assert manifest["files"]["model.tflite"]["bytes"] > sum(
        4 * int(np.prod(weight.shape)) for weight in plain.layer("encoder_layer_0").weights
    )
