"""Makes sure that a model is as small as its weights allow."""

from dataclasses import dataclass

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tfcompress.custom_ops.names import WEIGHTS
from tfcompress.errors import InputError
from tfcompress.export.errors import ExportError
from tfcompress.export.graph import flatbuffer
from tfcompress.export.quantization.quantizer import MIN_ELEMENTS, weight_operands
from tfcompress.models import LanguageModel, Seq2SeqTransformer, TextEncoder

# A flatbuffer has at most 2 GiB; some of it is for the graph.
MAX_PARAMETERS = (2**31 - 2**26) // 4
_WEIGHT_BYTES = {"float32": 4.0, "float16": 2.0, "dynamic_int8": 1.0}
_TOLERANCE = 0.03
# What the graph itself takes: the operations with their tensors and shapes, and the rest. Custom
# operations have many operands, of which each begins at a multiple of 64 bytes.
_BYTES_AN_OPERATION, _BYTES_A_CUSTOM_OPERAND, _FIXED_BYTES = 128, 160, 4096


def check_convertible(parameters: int) -> None:
    """Makes sure that a model's weights fit into a `.tflite` file in float32.

    Args:
        parameters: The model's.

    Raises:
        InputError: If they do not.
    """
    if parameters > MAX_PARAMETERS:
        raise InputError(
            f"A model must have at most {MAX_PARAMETERS:,} parameters, as a .tflite file has room "
            f"for while it is converted. Received: {parameters:,}. Make the model smaller."
        )


@dataclass(frozen=True)
class SizeLimit:
    """How large a model's file may be.

    Attributes:
        weights: Bytes of the weights.
        file: The most bytes that the file may have.
    """

    weights: int
    file: int


def size_limit(
    model: schema.ModelT,
    transformer: Seq2SeqTransformer | TextEncoder | LanguageModel,
    quantization: str,
) -> SizeLimit:
    """Returns how large a model's file may be.

    It may exceed the bytes of the transformer's distinct weights, and of the scales and
    zero points, by 3%, 128 bytes for each operation, 160 for each operand of a custom one, and
    4 KiB. The projections of an embedding tied with "shared" count twice: they are needed in both
    orientations.

    Args:
        model: What the file will hold, before the constants of custom operations are packed.
        transformer: What it was made from.
        quantization: How.
    """
    bytes_a_weight = _WEIGHT_BYTES.get(quantization) or _mean_bytes(model)
    expected = _weight_bytes(transformer, bytes_a_weight) + _quantization_bytes(model)
    operators = [operator for subgraph in model.subgraphs for operator in subgraph.operators]
    graph = _BYTES_AN_OPERATION * len(operators) + _FIXED_BYTES
    for operator in operators:
        if flatbuffer.operator_name(model, operator) in WEIGHTS:
            graph += _BYTES_A_CUSTOM_OPERAND * len(operator.inputs)
    return SizeLimit(int(expected), int((1 + _TOLERANCE) * expected + graph))


def check_size(size: int, limit: SizeLimit) -> None:
    """Makes sure that a model's file is as small as its weights allow.

    Args:
        size: Bytes of the file.
        limit: What `size_limit` returned.

    Raises:
        ExportError: If the file is larger.
    """
    if size > limit.file:
        raise ExportError(
            "The model stores weights twice, as the conversion changed one copy of a shared or "
            f"tied one. Received: {size:,} bytes for weights of {limit.weights:,}. Export without "
            "sharing it."
        )


def _weight_bytes(transformer, bytes_a_weight):
    shapes = [tuple(weight.shape) for weight in transformer.model.weights]
    if hasattr(transformer.config, "embedding"):
        shapes += _second_shapes(transformer.config)
    return sum(_bytes(shape, bytes_a_weight) for shape in shapes)


def _second_shapes(config):
    """The shapes of what a tied embedding needs in both orientations."""
    embedding = config.embedding
    width = embedding.embedding_dim
    if embedding.tie == "shared" and embedding.layer_type == "adaptive":
        width = width or config.hidden_dim
        bands = range(len(embedding.cutoffs) + 1)
        return [(config.hidden_dim, width // embedding.factor**band) for band in bands]
    if embedding.tie == "shared" and width is not None:
        return [(config.hidden_dim, width)]
    return []


def _bytes(shape, bytes_a_weight):
    count = int(np.prod(shape))
    is_large = len(shape) > 1 and count >= MIN_ELEMENTS
    return count * (bytes_a_weight if is_large else 4)


def _mean_bytes(model):
    """Bytes of a large weight, where some have more bits than others."""
    weights = {}
    for subgraph in model.subgraphs:
        for tensor in subgraph.tensors:
            data, count = model.buffers[tensor.buffer].data, int(np.prod(tensor.shape))
            if data is not None and len(tensor.shape) > 1 and count >= MIN_ELEMENTS:
                weights[tensor.buffer] = (len(data), count)
    if not weights:
        return 1.0
    stored, count = np.sum(list(weights.values()), axis=0)
    return stored / count


def _quantization_bytes(model):
    vectors = {}

    def add(values):
        vectors[values.tobytes()] = values.nbytes

    for subgraph in model.subgraphs:
        for tensor in subgraph.tensors:
            q = tensor.quantization
            if q is not None and q.scale is not None:
                add(q.scale)
                add(q.zeroPoint)
            if q is not None and q.details is not None:
                add(model.buffers[subgraph.tensors[q.details.scales].buffer].data)
        for operator in subgraph.operators:
            name = flatbuffer.operator_name(model, operator)
            for operand in weight_operands(model, operator) if name in WEIGHTS else ():
                add(model.buffers[subgraph.tensors[operator.inputs[operand + 1]].buffer].data)
    return sum(vectors.values())
