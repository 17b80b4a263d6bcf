"""Averaged attention and SSRU are pruned, clustered and quantized by tf-model-optimization."""

import numpy as np
import pytest
from export.export_harness import make_transformer
from flavours import legacy_only
from tensorflow import keras

from tfcompress import optimization
from tfcompress.export import convert
from tfcompress.models import (
    AveragedAttentionConfig,
    EmbeddingConfig,
    FeedForwardConfig,
    Seq2SeqTransformer,
    SharingConfig,
    SSRUConfig,
    StackConfig,
)

pytestmark = legacy_only
_GATES = {"input_gate", "mean_gate"}
_FEED_FORWARD = {"feed_forward/inner", "feed_forward/outer"}
MIXERS = {
    "ssru": (SSRUConfig(2), {"candidate", "forget_gate"}),
    "averaged": (AveragedAttentionConfig(2, intermediate_dim=40), _GATES | _FEED_FORWARD),
    "without_gates": (
        AveragedAttentionConfig(2, intermediate_dim=40, use_gates=False),
        _FEED_FORWARD,
    ),
    "gates_only": (AveragedAttentionConfig(2, intermediate_dim=None), _GATES),
    "mean_only": (AveragedAttentionConfig(2, intermediate_dim=None, use_gates=False), set()),
}


def pruned(model):
    from tensorflow_model_optimization.sparsity import keras as tfmot

    wrapped = optimization.prune(model, tfmot.ConstantSparsity(0.5, begin_step=0, frequency=1))
    fit(wrapped, callbacks=[tfmot.UpdatePruningStep()])
    return optimization.strip_pruning(wrapped)


def clustered(model):
    wrapped = optimization.cluster_weights(model, 8)
    fit(wrapped)
    return optimization.strip_clustering(wrapped)


def quantized(model):
    wrapped = optimization.quantize_aware(model, bits=8)
    fit(wrapped)
    return optimization.strip_quantization(wrapped)


def fit(model, **options):
    rng = np.random.default_rng(0)
    source, target = rng.integers(4, 60, (2, 8, 6))
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    features = {"source_token_ids": source, "target_token_ids": target}
    model.fit(features, target, verbose=0, **options)


CHECKS = {
    pruned: lambda kernel: np.mean(kernel == 0) == pytest.approx(0.5, abs=0.01),
    clustered: lambda kernel: len(np.unique(kernel)) <= 8,
    quantized: lambda kernel: len(np.unique(kernel[:, 0])) <= 255,
}


@pytest.mark.slow
@pytest.mark.parametrize("change", CHECKS)
@pytest.mark.parametrize("name", MIXERS)
def test_every_matrix_of_a_mixer(name, change, tmp_path):
    mixer, matrices = MIXERS[name]
    stack = StackConfig(
        2, attention=mixer, feed_forward=FeedForwardConfig(48), sharing=SharingConfig("all")
    )
    model = make_transformer(
        decoder=stack, hidden_dim=40, embedding=EmbeddingConfig(share=True, zero_start=True)
    )
    changed = Seq2SeqTransformer(model.config, model=change(model.model))
    unit = changed.decoder_layers[0].self_attention
    kernels = {path: part for path in matrices if (part := _inner(unit, path))}
    assert kernels.keys() == matrices
    assert all(CHECKS[change](part.kernel.numpy()) for part in kernels.values())
    quantization, most = ("dynamic_int8", 0.2) if change is quantized else ("float32", 1e-4)
    options = {"quantization": quantization, "samples": [[5, 9, 2]]}
    manifest = convert(changed, tmp_path / "bundle", **options)
    assert manifest["parity"]["mean_log_probability_difference"] < most


def _inner(layer, path):
    for name in path.split("/"):
        layer = getattr(layer, name)
    return layer
