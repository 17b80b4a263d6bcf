import numpy as np
import pytest
from surgery.small_models import assert_describes, logits, make_transformer

from tfcompress.errors import InputError
from tfcompress.models import EmbeddingConfig
from tfcompress.surgery import factorize_embedding

EMBEDDINGS = {
    "one_table": EmbeddingConfig(share=True),
    "two_tables": EmbeddingConfig(use_output_bias=True),
    "own": EmbeddingConfig(12, share=True, tie="own", use_bias=True),
    "untied": EmbeddingConfig(12, tie="none"),
    "through_projection": EmbeddingConfig(12, share=True),
}


def low_rank(transformer, rank):
    """Makes tables of this rank."""
    for name in ("embedding", "source_embedding", "target_embedding"):
        for layer in transformer.model.layers:
            if layer.name == name:
                left, values, right = np.linalg.svd(np.asarray(layer.embeddings))
                values[rank:] = 0
                layer.embeddings.assign(left[:, : len(values)] * values @ right)


@pytest.mark.costly
@pytest.mark.parametrize("embedding", EMBEDDINGS.values(), ids=EMBEDDINGS)
def test_tables_of_low_rank_are_factorized_exactly(embedding):
    transformer = make_transformer(embedding=embedding)
    low_rank(transformer, 6)
    smaller, errors = factorize_embedding(transformer, 6)
    assert smaller.config.embedding.embedding_dim == 6
    assert max(errors.values()) < 1e-6
    np.testing.assert_allclose(logits(smaller), logits(transformer), atol=2e-5)
    assert_describes(smaller)


def test_error_is_what_is_lost():
    transformer = make_transformer()
    table = np.asarray(transformer.layer("embedding").embeddings)
    smaller, errors = factorize_embedding(transformer, 5)
    layer = smaller.layer("embedding")
    product = np.asarray(layer.embeddings) @ np.asarray(layer.projection.kernel)
    product *= layer.scale / transformer.layer("embedding").scale
    lost = np.linalg.norm(product - table) / np.linalg.norm(table)
    assert errors == {"embedding": pytest.approx(lost, rel=1e-4)}


@pytest.mark.costly
@pytest.mark.parametrize("width", [0, 16, 40])
def test_impossible_width(width):
    with pytest.raises(InputError, match="between 1 and 15"):
        factorize_embedding(make_transformer(), width)


def test_other_layer_types():
    embedding = EmbeddingConfig(16, layer_type="adaptive", cutoffs=(10,), factor=2)
    with pytest.raises(InputError, match=r"layer_type 'factorized'. Received"):
        factorize_embedding(make_transformer(embedding=embedding), 4)
