"""The same weights as ONNX Runtime runs them best: its own attention, dynamic int8 weights.

A graph of the encoder gives keys and values of the memory, a graph of a step takes those and the
caches, and gives the next ids: of sources of one length, without masks.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from tfcompress.layers import SinusoidalPosition
from tfcompress.models import Seq2SeqTransformer

OPSETS = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]


def convert(transformer: Seq2SeqTransformer, folder: Path) -> None:
    """Writes `encoder.onnx` and `step.onnx` in int8.

    Args:
        transformer: As for `ctranslate2_twin.convert`, with post-norm.
        folder: Where to.
    """
    folder.mkdir(parents=True)
    for name, graph in (("encoder", _encoder(transformer)), ("step", _step(transformer))):
        model = helper.make_model(graph, opset_imports=OPSETS, ir_version=9)
        onnx.checker.check_model(model)
        plain, int8 = folder / "plain.onnx", folder / f"{name}.onnx"
        onnx.save(model, plain)
        quantize_dynamic(
            plain,
            int8,
            per_channel=True,
            weight_type=QuantType.QInt8,
            extra_options={"DefaultTensorType": TensorProto.FLOAT},
        )
        plain.unlink()


class _Graph:
    """A graph under construction; values go by their names."""

    def __init__(self, transformer):
        config = transformer.config
        self.transformer, self.config = transformer, config
        self.num_heads = config.encoder.attention.num_heads
        self.head_dim = config.hidden_dim // self.num_heads
        self._nodes, self._weights = [], []
        embedding = transformer.layer("embedding")
        table = embedding.embeddings.numpy()
        table[config.bos_id] = 0
        self.table = self.weight(table * np.float32(config.hidden_dim) ** np.float32(0.5))
        zeros = np.zeros((1, config.max_source_length, config.hidden_dim), "float32")
        self.positions = self.weight(SinusoidalPosition()(zeros)[0].numpy())
        self.output = self.weight(table.T), self.weight(embedding.output_bias.numpy())

    def weight(self, value):
        name = f"w{len(self._weights)}"
        self._weights.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def node(self, kind, *inputs, outputs=1, **attributes):
        names = [f"x{len(self._nodes)}_{index}" for index in range(outputs)]
        self._nodes.append(helper.make_node(kind, inputs, names, **attributes))
        return names if outputs > 1 else names[0]

    def linear(self, x, *layers):
        kernel = np.concatenate([layer.kernel.numpy() for layer in layers], axis=1)
        bias = np.concatenate([layer.bias.numpy() for layer in layers])
        return self.node("Add", self.node("MatMul", x, self.weight(kernel)), self.weight(bias))

    def add_norm(self, x, y, layer):
        gamma, beta = self.weight(layer.gamma.numpy()), self.weight(layer.beta.numpy())
        total = self.node("Add", x, y)
        return self.node("LayerNormalization", total, gamma, beta, epsilon=self.config.epsilon)

    def projections(self, x, attention):
        """Queries, keys and values by one product."""
        joined = self.linear(x, attention.query, attention.key, attention.value)
        return self.node("Split", joined, axis=-1, outputs=3)

    def attend(self, *inputs, outputs=1):
        return self.node(
            "MultiHeadAttention",
            *inputs,
            outputs=outputs,
            domain="com.microsoft",
            num_heads=self.num_heads,
        )

    def feed_forward(self, x, layer):
        inner = self.node("Relu", self.linear(x, layer.feed_forward.inner))
        outer = self.linear(inner, layer.feed_forward.outer)
        return self.add_norm(x, outer, layer.feed_forward_normalization)

    def heads(self, x):
        """`[batch, length, width]` as `[batch, heads, length, head width]`."""
        shape = self.weight(np.array([0, 0, self.num_heads, self.head_dim], np.int64))
        return self.node("Transpose", self.node("Reshape", x, shape), perm=[0, 2, 1, 3])

    def build(self, name, inputs, outputs):
        """Outputs map names to values and their shapes."""
        for public, (value, *_) in outputs.items():
            self._nodes.append(helper.make_node("Identity", [value], [public]))
        ends = [helper.make_tensor_value_info(key, *kind) for key, (_, *kind) in outputs.items()]
        starts = [helper.make_tensor_value_info(key, *kind) for key, kind in inputs.items()]
        return helper.make_graph(self._nodes, name, starts, ends, self._weights)


def _encoder(transformer):
    graph = _Graph(transformer)
    length = graph.node("Shape", "ids", start=1, end=2)
    zero = graph.weight(np.array([0], np.int64))
    x = graph.node(
        "Add",
        graph.node("Gather", graph.table, "ids"),
        graph.node("Slice", graph.positions, zero, length),
    )
    for layer in transformer.encoder_layers:
        states = graph.attend(*graph.projections(x, layer.attention))
        states = graph.linear(states, layer.attention.output_projection)
        x = graph.add_norm(x, states, layer.attention_normalization)
        x = graph.feed_forward(x, layer)
    shape = (TensorProto.FLOAT, ["batch", graph.num_heads, "source", graph.head_dim])
    outputs = {}
    for index, layer in enumerate(transformer.decoder_layers):
        for part in ("key", "value"):
            value = graph.linear(x, getattr(layer.cross_attention, part))
            outputs[f"memory_{part}_{index}"] = (graph.heads(value), *shape)
    return graph.build("encoder", {"ids": (TensorProto.INT64, ["batch", "source"])}, outputs)


def _step(transformer):
    graph = _Graph(transformer)
    ids = (TensorProto.INT64, ["batch", 1])
    shapes = {
        name: (TensorProto.FLOAT, ["batch", graph.num_heads, name, graph.head_dim])
        for name in ("source", "past", "present")
    }
    inputs, present = {"ids": ids, "position": (TensorProto.INT64, [1])}, {}
    x = graph.node(
        "Add",
        graph.node("Gather", graph.table, "ids"),
        graph.node("Gather", graph.positions, "position"),
    )
    for index, layer in enumerate(transformer.decoder_layers):
        past, memory = (
            [f"{name}_{part}_{index}" for part in ("key", "value")] for name in ("past", "memory")
        )
        inputs |= dict.fromkeys(past, shapes["past"]) | dict.fromkeys(memory, shapes["source"])
        query, key, value = graph.projections(x, layer.self_attention)
        states, *caches = graph.attend(query, key, value, "", "", "", *past, outputs=3)
        for part, cache in zip(("key", "value"), caches):
            present[f"present_{part}_{index}"] = (cache, *shapes["present"])
        states = graph.linear(states, layer.self_attention.output_projection)
        x = graph.add_norm(x, states, layer.self_attention_normalization)
        query = graph.linear(x, layer.cross_attention.query)
        states = graph.attend(query, *memory)
        states = graph.linear(states, layer.cross_attention.output_projection)
        x = graph.add_norm(x, states, layer.cross_attention_normalization)
        x = graph.feed_forward(x, layer)
    table, bias = graph.output
    logits = graph.node("Add", graph.node("MatMul", x, table), bias)
    best = graph.node("ArgMax", logits, axis=-1, keepdims=0)
    return graph.build("step", inputs, {"next": (best, *ids), **present})
