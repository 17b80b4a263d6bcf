"""What tests of exports share: small models, and an oracle that needs none of the runtime."""

import functools
import tempfile
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from tfcompress.decoder_state import StateSpec
from tfcompress.export import QUANTIZATIONS, convert
from tfcompress.export.graph import flatbuffer
from tfcompress.export.quantization.schemes import STATIC
from tfcompress.models import (
    AttentionConfig,
    EmbeddingConfig,
    FeedForwardConfig,
    Seq2SeqConfig,
    Seq2SeqTransformer,
    SharingConfig,
    StackConfig,
)
from tfcompress.models.precision import to_float32

# Words by number, after the special ids.
_SOURCES = ([4, 6, 8], [])
_TARGET = [2, 5, 2, 6]
# Mean difference of logits, as a part of their standard deviation, that rounding may cause.
_TOLERANCES = {"float32": 1e-4, "float16": 5e-3, "mixed": 0.5}
_INTEGERS = 0.15
# Quantizations of weights that need nothing but the model.
WEIGHT_ONLY = [q for q in QUANTIZATIONS if q != "mixed" and q not in STATIC]


def make_transformer(
    *, seed=0, vocabulary=60, sharing="none", depth=2, hidden_dim=32, **changes
) -> Seq2SeqTransformer:
    """Returns a small transformer, all of whose weights are random."""
    stack = StackConfig(
        depth,
        attention=AttentionConfig(2),
        feed_forward=FeedForwardConfig(2 * hidden_dim),
        sharing=SharingConfig(sharing),
    )
    settings = {
        "encoder": stack,
        "decoder": stack,
        "embedding": EmbeddingConfig(share=True),
        "max_source_length": 12,
        "max_target_length": 16,
        **changes,
    }
    transformer = Seq2SeqTransformer(Seq2SeqConfig(vocabulary, hidden_dim=hidden_dim, **settings))
    rng = np.random.default_rng(seed)
    for variable in transformer.model.trainable_variables:
        variable.assign(variable + rng.normal(0, 0.3, variable.shape))
    return transformer


def assert_export_parity(
    transformer: Seq2SeqTransformer, *, quantization: str = "float32", **options
) -> dict:
    """Exports a transformer and asserts that the bundle computes the same, from weights kept once.

    Beside the export's own comparison, this runs `model.tflite` with LiteRT's plain interpreter
    and its builtin kernels, and compares every logit with the training graph.

    Args:
        transformer: What to export.
        quantization: How.
        **options: Further arguments of `convert`.

    Returns:
        The manifest.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "bundle")
        manifest = convert(transformer, path, quantization=quantization, **options)
        data = (path / "model.tflite").read_bytes()
    model = flatbuffer.read(data)
    assert flatbuffer.custom_operations(model) == set()
    assert_stored_once(model)
    reference = to_float32(transformer)
    words = min(manifest["vocabulary"].values()) - 3
    target = [3 + i % words for i in _TARGET]
    for source in _SOURCES:
        source = [*(3 + i % words for i in source), transformer.config.eos_id]
        actual = interpreter_logits(data, manifest, source, target)
        expected = model_logits(reference, source, target)
        error = np.abs(actual - expected).mean() / expected.std()
        assert error < _TOLERANCES.get(quantization, _INTEGERS), (source, error)
    return manifest


def assert_stored_once(model) -> None:
    """Asserts that no large constant is a copy, or a multiple, of another of the same shape."""
    seen = {}
    shapes = {t.buffer: tuple(t.shape) for g in model.subgraphs for t in g.tensors if t.buffer}
    types = {t.buffer: t.type for g in model.subgraphs for t in g.tensors if t.buffer}
    dtypes = {0: np.float32, 1: np.float16, 9: np.int8}
    for buffer, shape in shapes.items():
        values = model.buffers[buffer].data
        if values is None or len(values) < 1024 or types[buffer] not in dtypes:
            continue
        values = values.view(dtypes[types[buffer]]).astype(np.float64)
        values = values / np.linalg.norm(values) * np.sign(values[np.abs(values).argmax()])
        for other in seen.setdefault(shape, []):
            assert np.abs(values - other).max() > 1e-4, f"stored twice: {shape}"
        seen[shape].append(values)


def model_logits(transformer: Seq2SeqTransformer, source: list[int], target: list[int]):
    """Returns the training graph's logits, of the begin id and after each target token."""
    inputs = [np.array([source]), np.array([[transformer.config.bos_id, *target]])]
    return transformer.model(inputs, training=False).numpy()[0]


def interpreter_logits(data: bytes, manifest: dict, source: list[int], target: list[int]):
    """Returns a `model.tflite`'s logits, of the begin id and after each target token."""
    encode, step = signature_runners(data)
    state = encode(ids=np.array(source, np.int32))
    tokens = [manifest["ids"]["bos"], *target]
    for entry in manifest["state"]:
        spec = StateSpec.from_mapping(entry)
        if spec.per == "hypothesis":
            shape = spec.sizes(1, len(tokens))
            state[entry["name"]] = np.full(shape, spec.initial, np.float32)
    mask = np.full((1, 1, 1, len(tokens)), -3e4, np.float32)
    logits = []
    for position, token in enumerate(tokens):
        mask[..., position] = 0
        inputs = {"ids": [token], "position": [position]}
        inputs = {name: np.array(value, np.int32) for name, value in inputs.items()}
        outputs = step(**inputs, mask=mask, **state)
        logits.append(outputs["logits"][0])
        state |= {
            name.removeprefix("new_"): value
            for name, value in outputs.items()
            if name.startswith("new_")
        }
        check_statistics(outputs, manifest["decoder"]["block"])
    return np.array(logits)


def signature_runners(data: bytes):
    """Returns the functions `encode` and `step` of a `model.tflite`, on builtin kernels."""
    interpreter = Interpreter(
        model_content=data,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    return tuple(map(interpreter.get_signature_runner, ("encode", "step")))


def check_statistics(outputs: dict, block: int | None) -> None:
    """Asserts that what helps a search is what the logits say."""
    if block is None:
        assert not {"block_max", "log_sum_exp"} & set(outputs)
        return
    logits = outputs["logits"].astype(np.float64)
    blocks = logits.reshape(len(logits), -1, block)
    np.testing.assert_array_equal(outputs["block_max"], blocks.max(axis=2).astype(np.float32))
    expected = np.log(np.exp(logits).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(outputs["log_sum_exp"], expected, rtol=1e-4, atol=1e-4)


@functools.cache
def plain_transformer() -> Seq2SeqTransformer:
    """A transformer for tests that only read it."""
    return make_transformer()
