import dataclasses

import numpy as np
import pytest
from surgery.small_models import assert_describes, logits, make_transformer

from tfcompress.errors import InputError
from tfcompress.models import EmbeddingConfig, TransformConfig
from tfcompress.surgery import cache_outputs

DEXTRA = EmbeddingConfig(
    8,
    share=True,
    tie="own",
    layer_type="dextra",
    transform=TransformConfig(2, width_multiplier=2.0, max_groups=2),
)


@pytest.mark.costly
@pytest.mark.parametrize("layer_type", ["dextra", "define"])
@pytest.mark.parametrize("tie", ["own", "none"])
@pytest.mark.parametrize("share", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_tables_give_what_the_transforms_gave(layer_type, tie, share):
    embedding = dataclasses.replace(DEXTRA, layer_type=layer_type, tie=tie, share=share)
    transformer = make_transformer(embedding=embedding)
    cached = cache_outputs(transformer, prefer="cached")
    np.testing.assert_allclose(logits(cached), logits(transformer), atol=2e-5)
    assert_describes(cached)
    assert_describes(transformer)


@pytest.mark.slow
def test_the_cheaper_form_is_chosen():
    transformer = make_transformer(embedding=DEXTRA)
    fewer = cache_outputs(transformer, prefer="multiply_adds")
    assert fewer.config.embedding.cached
    smaller = cache_outputs(transformer, prefer="bytes")
    assert smaller.config.embedding.cached  # 30 tokens take less than the transform
    many = transformer.config.replace(source_vocabulary_size=3000, target_vocabulary_size=3000)
    many = type(transformer)(many)
    assert cache_outputs(many, prefer="bytes") is many


@pytest.mark.costly
@pytest.mark.parametrize(
    ("embedding", "prefer"), [(EmbeddingConfig(8), "bytes"), (DEXTRA, "speed")]
)
def test_impossible(embedding, prefer):
    with pytest.raises(InputError):
        cache_outputs(make_transformer(embedding=embedding), prefer=prefer)
