"""Every number is compared with models that are really built, or with published numbers."""

import math
import re
import subprocess
import sys

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tfcompress.analysis import describe
from tfcompress.errors import InputError
from tfcompress.models import (
    AttentionConfig,
    EmbeddingConfig,
    FeedForwardConfig,
    Seq2SeqConfig,
    Seq2SeqTransformer,
    SharingConfig,
    StackConfig,
    preset,
)
from tfcompress.models.config_parts import SHARING_PATTERNS

STACKS = st.builds(
    StackConfig,
    st.integers(2, 3),
    attention=st.builds(
        AttentionConfig, st.sampled_from([1, 2]), head_dim=st.sampled_from([None, 3])
    ),
    feed_forward=st.builds(FeedForwardConfig, st.sampled_from([5, 16])),
    sharing=st.builds(SharingConfig, st.sampled_from(SHARING_PATTERNS), groups=st.integers(1, 2)),
)
EMBEDDINGS = st.builds(
    EmbeddingConfig,
    embedding_dim=st.sampled_from([None, 4]),
    share=st.booleans(),
    tie=st.sampled_from(["own", "shared", "none"]),
    use_bias=st.booleans(),
    use_output_bias=st.booleans(),
)


def make_config(encoder, decoder, embedding, positions, normalize_first):
    return Seq2SeqConfig(
        source_vocabulary_size=11,
        target_vocabulary_size=11 if embedding.share else 13,
        hidden_dim=8,
        encoder=encoder,
        decoder=decoder,
        embedding=embedding,
        positions=positions,
        normalize_first=normalize_first,
        max_source_length=9,
        max_target_length=7,
    )


CONFIGS = st.builds(
    make_config,
    STACKS,
    STACKS,
    EMBEDDINGS,
    st.sampled_from(["sinusoidal", "learned"]),
    st.booleans(),
)


def make_stack(pattern, groups=1, head_dim=None):
    attention, sharing = (
        AttentionConfig(2, head_dim=head_dim),
        SharingConfig(pattern, groups=groups),
    )
    return StackConfig(2, attention=attention, feed_forward=FeedForwardConfig(5), sharing=sharing)


def model_parameters(model):
    """Counts the parameters of a built model by component."""
    counts = dict.fromkeys(("embedding", "encoder", "decoder", "output"), 0)
    for layer in model.layers:
        total = layer.count_params()
        if layer.name.startswith(("encoder", "decoder")):
            counts[layer.name[:7]] += total
        elif layer.name == "output_projection":
            counts["output"] += total
        else:
            output = 0
            if getattr(layer, "tie", None) == "own":
                output += layer.output_projection.count_params()
            if getattr(layer, "use_output_bias", False):
                output += layer.vocabulary_size
            counts["output"] += output
            counts["embedding"] += total - output
    return counts


def model_bytes(model):
    """Counts the bytes of a built model from the shapes of its variables."""
    int8 = int4 = 0
    for weight in model.weights:
        if len(weight.shape) == 1:
            int8 += 4 * weight.shape[0]
            int4 += 4 * weight.shape[0]
            continue
        rows, columns = weight.shape
        if "kernel" in weight.name:
            rows, columns = columns, rows
        int8 += rows * columns + rows * 4
        int4 += math.ceil(rows * columns / 2) + rows * math.ceil(columns / 32) * 2
    return {"float32": 4 * model.count_params(), "int8": int8, "int4": int4}


def model_multiply_adds(model, source_length, target_length):
    """Counts the multiply-adds of every matrix product in the model's graph."""
    shapes = [(1, source_length), (1, target_length)]
    inputs = [tf.TensorSpec(shape, tf.int32) for shape in shapes]
    graph = tf.function(lambda *ids: model(list(ids))).get_concrete_function(*inputs).graph
    products = [op for op in graph.get_operations() if "MatMul" in op.type]
    assert products
    total = 0
    for op in products:
        transposed = op.get_attr("transpose_a" if op.type == "MatMul" else "adj_x")
        inner = op.inputs[0].shape[-2 if transposed else -1]
        total += math.prod(op.outputs[0].shape) * inner
    return total


def assert_equals_the_built_model(config):
    transformer = Seq2SeqTransformer(config)
    metrics = describe(transformer, source_length=6, target_length=5).to_dict()
    matrices = [weight.shape for weight in transformer.model.weights if len(weight.shape) == 2]
    assert metrics["parameters"] == {
        "total": transformer.model.count_params(),
        "weights_only": sum(math.prod(shape) for shape in matrices),
        **model_parameters(transformer.model),
    }
    assert metrics["bytes"] == model_bytes(transformer.model)
    assert metrics["multiply_adds"] == {
        "source_length": 6,
        "target_length": 5,
        "total": model_multiply_adds(transformer.model, 6, 5),
    }


@pytest.mark.parametrize(
    "config",
    [
        make_config(
            make_stack("none"),
            make_stack("all"),
            EmbeddingConfig(None, share=False, tie="shared"),
            "sinusoidal",
            normalize_first=False,
        ),
        make_config(
            make_stack("groups", groups=2),
            make_stack("attention", head_dim=3),
            EmbeddingConfig(4, share=True, tie="own", use_bias=True, use_output_bias=True),
            "learned",
            normalize_first=True,
        ),
        make_config(
            make_stack("feed_forward", head_dim=5),
            make_stack("none"),
            EmbeddingConfig(4, share=False, tie="none", use_bias=True, use_output_bias=True),
            "sinusoidal",
            normalize_first=True,
        ),
        make_config(
            make_stack("all"),
            make_stack("feed_forward"),
            EmbeddingConfig(4, share=True, tie="shared"),
            "learned",
            normalize_first=False,
        ),
        make_config(
            make_stack("attention", groups=2),
            make_stack("groups"),
            EmbeddingConfig(None, share=False, tie="own", use_bias=True),
            "learned",
            normalize_first=False,
        ),
    ],
    ids=["unfactorized", "own_projection", "untied", "shared_projection", "square_projection"],
)
def test_equals_the_built_model(config):
    assert_equals_the_built_model(config)


@pytest.mark.slow
@settings(max_examples=25, deadline=None, derandomize=True)
@given(CONFIGS)
def test_equals_any_built_model(config):
    assert_equals_the_built_model(config)


@given(CONFIGS, st.integers(1, 50), st.integers(1, 50))
def test_components_add_up(config, source_length, target_length):
    description = describe(config, source_length=source_length, target_length=target_length)
    metrics = description.to_dict()
    parameters = metrics["parameters"]
    assert parameters["total"] == sum(
        parameters[name] for name in ("embedding", "encoder", "decoder", "output")
    )
    assert parameters["weights_only"] < parameters["total"]
    assert metrics["multiply_adds"]["total"] == sum(
        cost.multiply_adds for cost in description.components.values()
    )
    assert metrics["bytes"]["float32"] == 4 * parameters["total"]


@pytest.mark.parametrize(
    ("width", "parameters", "multiply_adds", "published"),
    [
        (128, 2777088, 86722560, (2.8, 87)),
        (160, 4331520, 134208000, None),
        (192, 6230016, 192015360, None),
        (240, 9722880, 298080000, None),
        (256, 11059200, 338595840, (11.1, 338)),
        (320, 17264640, 526464000, (17.3, 527)),
        (512, 44138496, 1337794560, None),
    ],
)
def test_baselines_of_lite_transformer(width, parameters, multiply_adds, published):
    """Wu et al., 2020, arXiv:2004.11886: encoder and decoder alone, 30 + 30 tokens."""
    stack = StackConfig(6, attention=AttentionConfig(4), feed_forward=FeedForwardConfig(4 * width))
    config = Seq2SeqConfig(
        source_vocabulary_size=100, hidden_dim=width, encoder=stack, decoder=stack
    )
    components = describe(config).components
    body = components["encoder"] + components["decoder"]
    assert (body.parameters, body.multiply_adds) == (parameters, multiply_adds)
    if published:
        assert round(body.parameters / 1e6, 1) == published[0]
        assert abs(body.multiply_adds / 1e6 - published[1]) < 1


def test_accepts_name_configuration_and_transformer():
    config = preset("transformer_tiny")
    by_name = describe("transformer_tiny").to_dict()
    by_config = describe(config).to_dict()
    assert by_name.pop("name") == "transformer_tiny"
    assert by_config.pop("name") == "seq2seq_transformer"
    assert describe(Seq2SeqTransformer(config)).to_dict() == describe(config).to_dict()
    assert by_name == by_config


def test_table_shows_every_component():
    lines = str(describe("transformer_big")).splitlines()
    assert [re.split(r"  +", line) for line in lines[:8]] == [
        ["transformer_big"],
        [""],
        ["", "parameters", "weights only", "multiply-adds", "float32", "int8", "int4"],
        ["embedding", "81.9M", "81.9M", "0", "328 MB", "82.2 MB", "46.1 MB"],
        ["encoder", "75.6M", "75.5M", "2.28G", "302 MB", "76.0 MB", "42.8 MB"],
        ["decoder", "101M", "101M", "3.04G", "403 MB", "101 MB", "57.1 MB"],
        ["output", "0", "0", "1.23G", "0 B", "0 B", "0 B"],
        ["total", "258M", "258M", "6.55G", "1.03 GB", "260 MB", "146 MB"],
    ]
    assert len({len(line) for line in lines[2:8]}) == 1


def test_table_says_whether_the_output_is_tied():
    config = preset("transformer_tiny")
    assert "tied" in str(describe(config))
    assert "tied" not in str(describe(config.replace(embedding=EmbeddingConfig(tie="none"))))


def test_needs_no_tensorflow():
    code = (
        "import sys, tfcompress.analysis as a; a.describe('transformer_big'); "
        "assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("lengths", [{"source_length": 0}, {"target_length": -3}])
def test_impossible_length(lengths):
    ((name, value),) = lengths.items()
    with pytest.raises(InputError, match=rf"`{name}` must be at least 1. Received: {value}"):
        describe("transformer_tiny", **lengths)


def test_a_text_encoder_has_no_target():
    with pytest.raises(InputError, match=r"`target_length` is for translation models. Received: 9"):
        describe("minilm_l6", target_length=9)
    assert "target_length" not in describe("minilm_l6", source_length=9).to_dict()


def test_unknown_model():
    with pytest.raises(InputError, match="Did you mean `transformer_tiny`"):
        describe("transformer_tinny")
    with pytest.raises(InputError, match="Received: int"):
        describe(7)
