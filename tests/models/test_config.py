import dataclasses
import json

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from tfcompress.errors import InputError
from tfcompress.layers import FeedForward
from tfcompress.models import (
    MIXERS,
    AttentionConfig,
    EmbeddingConfig,
    FeedForwardConfig,
    Seq2SeqConfig,
    SharingConfig,
    StackConfig,
)
from tfcompress.models.config_parts import POSITION_TYPES, SHARING_PATTERNS, layer_groups
from tfcompress.models.rules import ACTIVATIONS

RATES = st.floats(0, 1, exclude_max=True)


@st.composite
def stacks(draw):
    num_layers = draw(st.integers(1, 12))
    heads = st.builds(
        AttentionConfig,
        st.sampled_from([1, 2, 4]),
        head_dim=st.none() | st.integers(1),
        dropout=RATES,
    )
    feed_forward = st.builds(
        FeedForwardConfig,
        st.integers(1, 9000),
        activation=st.sampled_from(ACTIVATIONS),
        dropout=RATES,
    )
    patterns = st.sampled_from(SHARING_PATTERNS)
    sharing = st.builds(SharingConfig, patterns, groups=st.integers(1, num_layers))
    return StackConfig(
        num_layers, attention=draw(heads), feed_forward=draw(feed_forward), sharing=draw(sharing)
    )


CONFIGS = st.builds(
    Seq2SeqConfig,
    source_vocabulary_size=st.integers(3, 10**6),
    hidden_dim=st.integers(1, 500).map(lambda n: 4 * n),
    encoder=stacks(),
    decoder=stacks(),
    embedding=st.builds(
        EmbeddingConfig,
        st.none() | st.integers(1, 512),
        share=st.booleans(),
        tie=st.sampled_from(["shared", "own", "none"]),
        use_bias=st.booleans(),
        use_output_bias=st.booleans(),
    ),
    positions=st.sampled_from(POSITION_TYPES),
    normalize_first=st.booleans(),
    dropout=RATES,
    epsilon=st.floats(1e-12, 1e-3),
    max_source_length=st.integers(1, 4096),
    max_target_length=st.integers(1, 4096),
)


def make(**settings):
    return Seq2SeqConfig(**{"source_vocabulary_size": 100, **settings})


def problems_of(**settings):
    with pytest.raises(InputError) as error:
        make(**settings)
    return str(error.value).removeprefix("impossible configuration: ").split("; ")


@given(CONFIGS)
def test_round_trip(config):
    mapping = json.loads(json.dumps(config.to_mapping()))
    assert Seq2SeqConfig.from_mapping(mapping) == config
    assert hash(Seq2SeqConfig.from_mapping(mapping)) == hash(config)


def test_python_and_yaml_use_the_same_names():
    mapping = {
        "source_vocabulary_size": 100,
        "hidden_dim": 32,
        "decoder": {"num_layers": 2, "attention": {"num_heads": 4, "dropout": 0}},
        "embedding": {"embedding_dim": 16, "share": True, "tie": "own"},
    }
    assert Seq2SeqConfig.from_mapping(mapping) == make(
        hidden_dim=32,
        decoder=StackConfig(num_layers=2, attention=AttentionConfig(num_heads=4, dropout=0.0)),
        embedding=EmbeddingConfig(embedding_dim=16, share=True, tie="own"),
    )


def test_target_vocabulary_is_that_of_the_source_by_default():
    config = make()
    assert config.target_vocabulary_size == 100
    assert config.replace(source_vocabulary_size=50).target_vocabulary_size == 100
    both = config.replace(source_vocabulary_size=50, target_vocabulary_size=None)
    assert both.target_vocabulary_size == 50


def test_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        make().hidden_dim = 3


def test_all_problems_at_once():
    problems = problems_of(
        hidden_dim=30,
        encoder=StackConfig(
            num_layers=0,
            attention=AttentionConfig(num_heads=4, dropout=1.0),
            sharing=SharingConfig("gruops"),
        ),
        decoder=StackConfig(
            attention=AttentionConfig(num_heads=3),
            feed_forward=FeedForwardConfig(0, activation="rellu", dropout=-0.1),
            sharing=SharingConfig("groups", groups=7),
        ),
        embedding=EmbeddingConfig(embedding_dim=0, share=True, tie="both"),
        target_vocabulary_size=90,
        positions="rotary",
        dropout=float("nan"),
        epsilon=0.0,
        bos_id=95,
        eos_id=0,
    )
    expected = [
        "`embedding.embedding_dim` must be at least 1 (received 0)",
        "`encoder.num_layers` must be at least 1 (received 0)",
        "`decoder.feed_forward.intermediate_dim` must be at least 1 (received 0)",
        "`dropout` must lie in [0, 1) (received nan)",
        "`encoder.attention.dropout` must lie in [0, 1) (received 1.0)",
        "`decoder.feed_forward.dropout` must lie in [0, 1) (received -0.1)",
        "`hidden_dim` must be divisible by `encoder.attention.num_heads` unless `head_dim` is "
        "given (received 30 and 4)",
        "`encoder.sharing.pattern` must be one of none, all, groups, attention, feed_forward "
        "(received 'gruops')",
        f"`decoder.feed_forward.activation` must be one of {', '.join(ACTIVATIONS)} (received "
        "'rellu')",
        "`decoder.sharing.groups` must lie between 1 and `decoder.num_layers` (received 7 of 6)",
        "`embedding.tie` must be one of shared, own, none (received 'both')",
        "`embedding.share` needs equal source and target vocabularies (received 100 and 90)",
        "`positions` must be one of sinusoidal, paper_sinusoidal, learned (received 'rotary')",
        "`epsilon` must be positive and finite (received 0.0)",
        "`bos_id` must be an id of every vocabulary (received 95)",
        "`eos_id` must differ from `pad_id` and `bos_id` (received [0, 95, 0])",
    ]
    assert sorted(problems) == sorted(expected)


@pytest.mark.parametrize("epsilon", [0, -1.0, float("nan"), float("inf")])
def test_impossible_epsilon(epsilon):
    assert problems_of(epsilon=epsilon) == [
        f"`epsilon` must be positive and finite (received {epsilon})"
    ]


def test_impossible_first_positions():
    assert problems_of(first_position=-1) == ["`first_position` must be at least 0 (received -1)"]
    assert problems_of(first_position=2, positions="learned") == [
        "`first_position` is for sinusoidal positions (received 2 with learned ones)"
    ]


@pytest.mark.parametrize("hidden_dim", [2, 15])
def test_sinusoids_need_an_even_width(hidden_dim):
    stack = StackConfig(attention=AttentionConfig(1))
    settings = {"hidden_dim": hidden_dim, "encoder": stack, "decoder": stack}
    assert problems_of(**settings) == [
        f"sinusoidal positions need an even `hidden_dim` of at least 4 (received {hidden_dim})"
    ]
    assert make(**settings, positions="learned").hidden_dim == hidden_dim


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"hidden_dim": 512.0}, "`hidden_dim` must be a whole number (received 512.0)"),
        ({"normalize_first": 1}, "`normalize_first` must be true or false (received 1)"),
        (
            {"encoder": {"num_layers": 3}},
            "`encoder` must be a StackConfig (received {'num_layers': 3})",
        ),
        (
            {"decoder": StackConfig(num_layers=None)},
            "`decoder.num_layers` must be a whole number (received None)",
        ),
    ],
)
def test_wrong_types_in_python(settings, problem):
    assert problems_of(**settings) == [problem]


@pytest.mark.parametrize("mixer", MIXERS)
def test_each_mixer_is_read_back(mixer):
    settings = {"patterns": ("next",)} if mixer == "fixed" else {}
    stack = StackConfig(attention=MIXERS[mixer](4, dropout=0.25, **settings))
    side = "encoder" if mixer == "fixed" else "decoder"
    config = make(hidden_dim=32, **{side: stack})
    mapping = config.to_mapping()
    assert mapping[side]["attention"]["mixer"] == mixer
    assert Seq2SeqConfig.from_mapping(json.loads(json.dumps(mapping))) == config


@pytest.mark.parametrize(
    ("stack", "problem"),
    [
        (
            {"attention": {"mixer": "x"}},
            f"mixer` must be one of {', '.join(MIXERS)} (received 'x')",
        ),
        ({"attention": {"mixer": ["lsra"]}}, "mixer` must be one of multi_head, "),
        ({"attention": {"kind": "lsra"}}, "keys with mixer multi_head are mixer, num_heads, "),
        ({"attention": {"mixr": "lsra"}}, "attention.mixr`: did you mean `mixer`?"),
        ({"attention": {"mixer": "lsra", "patterns": []}}, "keys with mixer lsra are mixer, "),
        (
            {"cross_attention": {"mixer": "lsra"}},
            "cross_attention.mixer` must be one of multi_",
        ),
        ({"attention": {"mixer": "fixed"}}, "mixer` fixed is for the encoder only"),
        ({"attention": {"mixer": "lsra", "attention_dim": 32}}, "must lie between 1 and "),
        ({"attention": {"mixer": "delight", "num_heads": 3}}, "half of `hidden_dim` must be divis"),
        (
            {"attention": {"mixer": "delight", "scaling": {"min_layers": 1}}},
            "needs 2 <= min_layers",
        ),
        (
            {"attention": {"mixer": "convolution", "convolution": {"num_heads": 5}}},
            "by `decoder.attention.convolution.num_heads` (received 32 and 5)",
        ),
        (
            {"attention": {"mixer": "convolution", "convolution": {"kernel_size": [3, 5]}}},
            "`decoder.attention.convolution.kernel_size` must have one value for each",
        ),
        (
            {"attention": {"mixer": "delight"}, "sharing": {"pattern": "all"}},
            "makes every layer another one",
        ),
    ],
)
def test_impossible_mixers(stack, problem):
    mapping = {"source_vocabulary_size": 100, "hidden_dim": 32, "decoder": stack}
    with pytest.raises(InputError) as error:
        Seq2SeqConfig.from_mapping(mapping)
    assert problem in str(error.value)


def test_unknown_keys_name_the_nearest():
    mapping = {
        "source_vocabulary_size": 100,
        "hiden_dim": 32,
        "encoder": {"num_layer": 3, "sharing": {"patern": "all"}},
    }
    with pytest.raises(InputError) as error:
        Seq2SeqConfig.from_mapping(mapping)
    assert str(error.value).split("; ") == [
        "unknown key `hiden_dim`: did you mean `hidden_dim`?",
        "unknown key `encoder.num_layer`: did you mean `num_layers`?",
        "unknown key `encoder.sharing.patern`: did you mean `pattern`?",
    ]


@given(st.integers(1, 60), st.data())
def test_groups_are_even_and_in_order(num_layers, data):
    groups = data.draw(st.integers(1, num_layers))
    attention, feed_forward = layer_groups(
        StackConfig(num_layers, sharing=SharingConfig("groups", groups=groups))
    )
    assert attention == feed_forward == sorted(attention)
    assert set(attention) == set(range(groups))
    sizes = [attention.count(group) for group in range(groups)]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("num_layers", [*range(1, 22), 24])
def test_groups_are_those_of_albert(num_layers):
    for groups in range(1, num_layers + 1):
        stack = StackConfig(num_layers, sharing=SharingConfig("groups", groups=groups))
        assert layer_groups(stack)[0] == [int(i / num_layers * groups) for i in range(num_layers)]


@pytest.mark.parametrize(
    ("pattern", "attention", "feed_forward"),
    [
        ("none", [0, 1, 2, 3], [0, 1, 2, 3]),
        ("all", [0, 0, 0, 0], [0, 0, 0, 0]),
        ("groups", [0, 0, 1, 1], [0, 0, 1, 1]),
        ("attention", [0, 0, 1, 1], [0, 1, 2, 3]),
        ("feed_forward", [0, 1, 2, 3], [0, 0, 1, 1]),
    ],
)
def test_what_each_pattern_shares(pattern, attention, feed_forward):
    stack = StackConfig(4, sharing=SharingConfig(pattern, groups=2))
    assert layer_groups(stack) == (attention, feed_forward)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_layers_know_every_activation(activation):
    layer = FeedForward(4, activation=activation)
    copy = FeedForward.from_config(layer.get_config())
    x = tf.linspace(-3.0, 3.0, 7)
    np.testing.assert_array_equal(copy.activation(x), layer.activation(x))
