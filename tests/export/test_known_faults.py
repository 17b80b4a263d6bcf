import numpy as np
import pytest
from export_harness import WEIGHT_ONLY, make_transformer

from tfcompress.export import ExportError, ExportOptions, convert
from tfcompress.export.conversion.signatures import Signatures
from tfcompress.export.graph import flatbuffer
from tfcompress.export.graph.flatbuffer import schema
from tfcompress.export.graph.known_faults import check_known_faults
from tfcompress.export.graph.model_file import lower
from tfcompress.export.quantization.quantizer import quantize, type_chooser


@pytest.fixture(scope="module")
def lowered(tmp_path_factory):
    return flatbuffer.write(
        lower(Signatures(make_transformer(), ExportOptions()), tmp_path_factory.mktemp("lowered"))
    )


@pytest.fixture
def model(lowered):
    return flatbuffer.read(lowered)


@pytest.mark.slow
@pytest.mark.parametrize("quantization", WEIGHT_ONLY)
def test_ordinary_models_have_none(model, quantization):
    quantize(model, type_chooser(quantization))
    check_known_faults(model)


@pytest.mark.slow
def test_integers_computed_at_run_time(model):
    step = model.subgraphs[1]
    product = next(
        operator
        for operator in step.operators
        if flatbuffer.operator_name(model, operator) == "BATCH_MATMUL"
    )
    step.tensors[product.inputs[1]].type = schema.TensorType.INT8
    with pytest.raises(ExportError, match="takes others for zeros"):
        check_known_faults(model)


@pytest.mark.parametrize(("quantization", "scale"), [("dynamic_int8", 1e-40), ("dynamic_int8", 0)])
def test_scales_that_kernels_refuse(model, quantization, scale):
    quantize(model, type_chooser(quantization))
    tensor = next(
        t for t in model.subgraphs[0].tensors if t.quantization and t.quantization.scale is not None
    )
    tensor.quantization.scale = np.full(len(tensor.quantization.scale), scale, np.float32)
    with pytest.raises(ExportError, match="too small for kernels"):
        check_known_faults(model)


def test_scales_of_blocks_that_kernels_refuse(model):
    quantize(model, type_chooser("int4"))
    subgraph = model.subgraphs[0]
    details = next(
        t.quantization.details
        for t in subgraph.tensors
        if t.quantization and t.quantization.details
    )
    stored = model.buffers[subgraph.tensors[details.scales].buffer]
    stored.data = np.zeros(len(stored.data), np.uint8)
    with pytest.raises(ExportError, match="too small for kernels"):
        check_known_faults(model)


@pytest.mark.slow
def test_constants_beyond_half_precision(tmp_path):
    transformer = make_transformer()
    bias = transformer.layer("encoder_layer_0").feed_forward.outer.bias
    bias.assign(np.full(bias.shape, -1e9, np.float32))
    with pytest.raises(ExportError, match=r"beyond half precision.*1e\+09"):
        convert(transformer, tmp_path / "bundle")
    assert list(tmp_path.iterdir()) == []
