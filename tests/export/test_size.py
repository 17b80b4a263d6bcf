import pytest
from export_harness import assert_export_parity, make_transformer, plain_transformer

from tfcompress.errors import InputError
from tfcompress.export import ExportError, convert
from tfcompress.export.graph import flatbuffer
from tfcompress.export.graph.size import check_convertible, check_size, size_limit
from tfcompress.layers import FactorizedEmbedding
from tfcompress.models import EmbeddingConfig


def test_models_too_large_for_the_format():
    check_convertible(258_277_376)
    with pytest.raises(InputError, match=r"520,093,696 parameters.*600,000,000"):
        check_convertible(600_000_000)


def empty_model():
    model = flatbuffer.schema.ModelT()
    model.subgraphs = []
    return model


@pytest.mark.parametrize(("quantization", "width"), [("float32", 4), ("float16", 2)])
def test_limit(quantization, width):
    weights = plain_transformer().model.weights
    small = sum(w.shape.num_elements() for w in weights if w.shape.num_elements() < 1024)
    large = plain_transformer().model.count_params() - small
    limit = size_limit(empty_model(), plain_transformer(), quantization)
    assert limit.weights == 4 * small + width * large
    assert limit.file == int(1.03 * limit.weights + 4096)
    check_size(limit.file, limit)
    with pytest.raises(ExportError, match="stores weights twice"):
        check_size(limit.file + 1, limit)


@pytest.mark.slow
def test_folded_factor_is_caught(tmp_path, monkeypatch):
    """A factor right before a matrix product is folded into one copy of its kernel."""

    def step(self, inputs, position):
        return self._finish(self._look_up(self.embeddings, inputs) * self.scale, training=False)

    monkeypatch.setattr(FactorizedEmbedding, "step", step)
    transformer = make_transformer(depth=1, embedding=EmbeddingConfig(2048, share=True, tie="own"))
    with pytest.raises(ExportError, match="stores weights twice"):
        convert(transformer, tmp_path / "bundle", quantization="float32")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_file_of_a_larger_model_is_its_weights():
    transformer = make_transformer(vocabulary=4000, hidden_dim=64)
    size = assert_export_parity(transformer)["files"]["model.tflite"]["bytes"]
    assert 1 < size / (4 * transformer.model.count_params()) < 1.03
