"""What custom operations gain over the builtin ones, as ratios within one run.

    tfcompress build-native
    python benchmarks/custom_ops.py --output benchmarks/results/custom_ops.json

Random weights, int8, one thread, batch 1. The same layer or decoder step is converted twice; rounds
of the two alternate, and metrics are medians over the rounds. Above 1, the custom operation is
faster.
"""

import argparse
import contextlib
import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import ai_edge_litert
import numpy as np
import tensorflow as tf
from results_file import write_results

from tfcompress import layers
from tfcompress.custom_ops.names import ALL, TOP_LOGITS
from tfcompress.custom_ops.top_logits import top_logits
from tfcompress.export import ExportOptions
from tfcompress.export.conversion.signatures import Signatures
from tfcompress.export.graph import flatbuffer
from tfcompress.export.graph.model_file import lower
from tfcompress.export.graph.packing import pack_constants
from tfcompress.export.quantization.quantizer import quantize, type_chooser
from tfcompress.layers.common.device_operations import device_operations
from tfcompress.layers.common.embedding_lookup import LOOK_UP
from tfcompress.layers.common.fixed_patterns import EIGHT_FIXED
from tfcompress.layers.common.state import UPDATE_OP
from tfcompress.models import Seq2SeqTransformer, preset
from tfcompress.models.precision import to_float32
from tfcompress.runtime.native_files import (
    HOST,
    MODELS_PROGRAM,
    native_folder,
    native_library,
)


@dataclass(frozen=True)
class Case:
    """A computation, and how it is run.

    Attributes:
        build: Returns the float32 LiteRT model, with the custom operations of these names.
        goal: How many times faster it is to be.
        signature: The signature to run.
        shapes: Extents of inputs.
        values: What inputs of integers hold.
    """

    build: Callable[[frozenset[str]], object]
    goal: float
    signature: str = "serving_default"
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    values: Mapping[str, int] = field(default_factory=dict)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--only", default="", help="part of the names of the cases to run")
    parser.add_argument("--rounds", type=int, default=21)
    options = parser.parse_args()
    if native_library() is None:
        parser.error("the native runtime is not built; run `tfcompress build-native`")
    rows = []
    for name, case in cases().items():
        if options.only in name:
            rows.append(measure(name, case, options.rounds))
            print(rows[-1], flush=True)
    write_results(options.output, {"rows": rows})


def cases() -> dict[str, Case]:
    """The computations by name."""
    cases = {}
    for width in (256, 512):
        for length in (1, 16, 64):
            block = layers.DExTraBlock(width // 2, num_layers=4)
            name = f"DExTra block, width {width}, {length} positions"
            cases[name] = sequence_case(block, width, length, goal=2)
    for length in (64, 256):
        attention = layers.FixedPatternAttention(EIGHT_FIXED)
        name = f"fixed-pattern attention, width 512, {length} positions"
        cases[name] = sequence_case(attention, 512, length, goal=4)
        cases[f"{name}, without projections"] = patterns_case(length)
    for mixer, goal in (("Dynamic", 3), ("Lightweight", 3)):
        for project in (True, False):
            convolution = getattr(layers, f"{mixer}Conv")(7, num_heads=4, project=project)
            name = f"{mixer.lower()} convolution, width 256, 32 positions"
            name += "" if project else ", without projections"
            cases[name] = sequence_case(convolution, 256, 32, goal)
    cases["encoder layer, width 256, 16 positions"] = sequence_case(
        layers.TransformerEncoderLayer(
            layers.MultiHeadAttention(4), feed_forward=layers.FeedForward(1024)
        ),
        256,
        16,
        goal=1,
    )
    cases |= decoder_cases()
    cases |= output_cases()
    return cases


def sequence_case(layer, width, length, goal):
    """A layer that maps a sequence to a sequence."""

    def build(names):
        layer(tf.zeros([1, 2, width]))
        spec = tf.TensorSpec([1, None, width], name="x")
        return convert(lambda x: layer(x), [spec], names, *layer.weights, layer=layer)

    return Case(build, goal, shapes={"x": (1, length, width)})


def patterns_case(length):
    attention = layers.FixedPatternAttention(EIGHT_FIXED, head_dim=64)

    def build(names):
        attention(tf.zeros([1, 2, 512]))
        spec = tf.TensorSpec([1, None, 512], name="x")
        return convert(
            lambda x: attention._fixed(x, None, None),
            [spec],
            names,
            *attention.weights,
            layer=attention,
        )

    return Case(build, 4, shapes={"x": (1, length, 512)})


def decoder_cases():
    """A step of whole decoders, with room for 256 tokens, at position 16."""
    cases = {}
    for name in ("transformer_small", "transformer_base"):
        transformer = to_float32(Seq2SeqTransformer(preset(name)))
        state = Signatures(transformer, ExportOptions()).state

        def build(names, transformer=transformer):
            with tempfile.TemporaryDirectory() as folder:
                options = ExportOptions(custom_ops=sorted(names - {TOP_LOGITS}))
                return lower(Signatures(transformer, options), Path(folder))

        shapes = {"ids": (1,), "mask": (1, 1, 1, 256)}
        for tensor, spec in state.items():
            shapes[tensor] = spec.sizes(1, 256 if spec.grows else 20)
        cases[f"decoder step, {name}"] = Case(build, 1.5, "step", shapes, {"position": 16})
    return cases


def output_cases():
    """The output layer alone, and what a greedy search does with it."""
    table = tf.Variable(np.random.default_rng(0).standard_normal((32000, 512), np.float32))
    special = {"pad_id": 1, "bos_id": 2, "eos_id": 0}

    def build(names, listed=0):
        x = tf.TensorSpec([1, 512], name="x")
        if TOP_LOGITS not in names:

            def best(x):
                return tf.argmax(tf.matmul(x, table, transpose_b=True), axis=1)

            return convert(best, [x], names, table)

        def top(x, width):
            # 500 tokens all over the vocabulary.
            shortlist, size = tf.range(0, 64 * 32000, 64), tf.constant([listed])
            tables = tf.convert_to_tensor(table), tf.zeros([32000])
            return top_logits(x, *tables, shortlist, size, width, **special)

        return convert(top, [x, tf.TensorSpec([None], tf.int32, "width")], names, table)

    return {
        "output layer, 32,000 x 512": Case(build, 1, shapes={"width": (1,)}),
        "output layer, 32,000 x 512, shortlist of 500": Case(
            lambda names: build(names, 500 if TOP_LOGITS in names else 0), 4, shapes={"width": (1,)}
        ),
    }


def convert(function, specs, names, *kept, layer=None):
    """Returns the float32 LiteRT model of a function."""
    module = tf.Module()
    module.kept = kept
    names = {*names, UPDATE_OP, LOOK_UP}
    with contextlib.nullcontext() if layer is None else device_operations(layer, names):
        traced = tf.function(function, autograph=False).get_concrete_function(*specs)
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, traced)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.allow_custom_ops = True
        model = flatbuffer.read(converter.convert())
    flatbuffer.use_builtin_cache_updates(model)
    return model


def measure(name: str, case: Case, rounds: int) -> dict:
    """Times both sides of a case."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / side for side in ("builtin.tflite", "custom.tflite")]
        operations = []
        for path, names in zip(paths, (frozenset(), frozenset(ALL))):
            model = case.build(names)
            quantize(model, type_chooser("dynamic_int8"))
            pack_constants(model)
            path.write_bytes(flatbuffer.write(model))
            counts = flatbuffer.operation_counts(model)[case.signature]
            operations.append(sum(counts.values()))
        # Of the builtin operations: a shortlist reads some rows of its table only.
        weights = weight_bytes(flatbuffer.read(paths[0].read_bytes()), case.signature)
        metrics = run_both(paths, case, rounds, weights)
    microseconds = [metrics[str(path)]["microseconds"] for path in paths]
    read = metrics["gigabytes_per_s"] * 1e3
    return {
        "name": name,
        "builtin_us": round(microseconds[0], 1),
        "custom_us": round(microseconds[1], 1),
        "ratio": round(microseconds[0] / microseconds[1], 2),
        "goal": case.goal,
        "operations": operations,
        "weight_bytes": weights,
        # How much of the time that the weights take to be read at the machine's own speed.
        "share_of_memory_speed": [round(weights / time / read, 2) for time in microseconds],
    }


def weight_bytes(model, signature: str) -> int:
    """Bytes of the constants that a signature reads as a whole."""
    index = next(
        s.subgraphIndex for s in model.signatureDefs if s.signatureKey.decode() == signature
    )
    subgraph = model.subgraphs[index]
    buffers = {
        subgraph.tensors[operand].buffer
        for operator in subgraph.operators
        if flatbuffer.operator_name(model, operator) != "EMBEDDING_LOOKUP"
        for operand in operator.inputs
        if operand >= 0
    }
    contents = (model.buffers[buffer].data for buffer in buffers)
    return sum(len(content) for content in contents if content is not None)


def run_both(paths, case, rounds, weights):
    program = native_folder(HOST) / MODELS_PROGRAM
    library = next(Path(ai_edge_litert.__file__).parent.glob("libLiteRt.*"))
    command = [program, *paths, "--signature", case.signature, "--library", library]
    for name, shape in case.shapes.items():
        command += ["--shape", f"{name}={'x'.join(map(str, shape))}"]
    for name, value in case.values.items():
        command += ["--value", f"{name}={value}"]
    command += ["--rounds", str(rounds), "--memory", str(weights)]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    return json.loads(done.stdout)


if __name__ == "__main__":
    main()
