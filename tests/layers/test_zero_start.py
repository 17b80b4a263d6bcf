"""Decoders that begin with zeros, from the configuration to both runtimes."""

import dataclasses

import numpy as np
import pytest
from export.export_harness import assert_export_parity, make_transformer
from flavours import one_flavour
from layers.harness import normal, run_export_test, run_layer_test, run_step_test

from tfcompress.export import convert
from tfcompress.layers import SinusoidalPosition, ZeroStart
from tfcompress.models import EmbeddingConfig, Seq2SeqTransformer, TransformConfig
from tfcompress.models.decoding import beam_decode
from tfcompress.runtime import open_bundle, open_engine


def test_contract():
    run_layer_test(ZeroStart, normal(2, 5, 8), output_shape=(2, 5, 8), parameters=0)
    run_step_test(ZeroStart(), normal(2, 6, 8))
    run_export_test(ZeroStart(), normal(2, 5, 8))
    assert ZeroStart()(np.ones((2, 0, 4), "float32")).shape == (2, 0, 4)


def transformer(**embedding):
    return make_transformer(embedding=EmbeddingConfig(zero_start=True, **embedding))


NARROW = {"embedding_dim": 16, "transform": TransformConfig(2, width_multiplier=2.0, max_groups=2)}
EMBEDDINGS = {
    "shared": {"share": True},
    "biased": {"embedding_dim": 16, "tie": "own", "use_bias": True},
    "dextra": {"layer_type": "dextra", "tie": "own", **NARROW},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", EMBEDDINGS)
def test_the_first_vector_is_that_of_its_position(name):
    model = transformer(**EMBEDDINGS[name])
    first = SinusoidalPosition()(np.zeros((1, 1, 32), "float32"))[:, 0]
    np.testing.assert_array_equal(model.embed_step(np.array([1]), 0), first)
    ids = {"source_token_ids": [[5, 2]], "target_token_ids": [[1, 5, 9]]}
    logits = model.model({key: np.array(row) for key, row in ids.items()})
    ids["target_token_ids"][0][0] = 7
    np.testing.assert_array_equal(model.model({k: np.array(v) for k, v in ids.items()}), logits)
    assert_export_parity(model)


def test_it_makes_a_difference():
    model = transformer()
    embedding = dataclasses.replace(model.config.embedding, zero_start=False)
    other = Seq2SeqTransformer(model.config.replace(embedding=embedding))
    other.model.set_weights(model.model.get_weights())
    ids = {"source_token_ids": np.array([[5, 2]]), "target_token_ids": np.array([[1, 5]])}
    assert np.abs(model.model(ids) - other.model(ids)).max() > 1e-3


@one_flavour
@pytest.mark.parametrize("custom_ops", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_the_native_runtime_begins_alike(custom_ops, built, tmp_path, monkeypatch):
    model = transformer(share=True)
    monkeypatch.setenv("TFCOMPRESS_NATIVE", str(built / "libtfcompress.so"))
    options = {"quantization": "float32", "custom_ops": custom_ops, "samples": [[5, 2]]}
    convert(model, tmp_path / "bundle", **options)
    engine = open_engine(open_bundle(tmp_path / "bundle"), native=True)
    for source in ([4, 6, 8, 9], [5] * 11, [7]):
        actual = engine.search(source, beam_size=4)[0].ids
        assert actual == beam_decode(model, [*source, 2], beam_size=4)[0].token_ids
    engine.close()
