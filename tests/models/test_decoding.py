import functools

import numpy as np
import pytest
import tensorflow as tf
from flavours import one_flavour
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.models import (
    AttentionConfig,
    EmbeddingConfig,
    FeedForwardConfig,
    Seq2SeqConfig,
    Seq2SeqTransformer,
    SharingConfig,
    StackConfig,
)
from tfcompress.models.decoding import beam_decode, greedy_decode
from tfcompress.models.precision import to_float32

VOCABULARY = 40
LONGEST = 21
SOURCES = [[7, 9, 2], [2], [5, 30, 31, 8, 2], [39, 2], [7, 9, 2], [*range(4, 30), 2]]


def stack(pattern="none", groups=1):
    return StackConfig(
        2,
        attention=AttentionConfig(2),
        feed_forward=FeedForwardConfig(24),
        sharing=SharingConfig(pattern, groups=groups),
    )


@functools.cache
def model(variant="shared_table", seed=2):
    """A transformer that tests only read."""
    return make(seed=seed, **VARIANTS[variant])


def make(*, seed=2, sharing="none", end_bias=7.0, **changes):
    """A random transformer that speaks in varied tokens and ends after some."""
    settings = {
        "hidden_dim": 16,
        "encoder": stack(sharing),
        "decoder": stack(sharing),
        "embedding": EmbeddingConfig(share=True, use_output_bias=True),
        "max_source_length": 32,
        "max_target_length": LONGEST,
        **changes,
    }
    keras.utils.set_random_seed(seed)
    transformer = Seq2SeqTransformer(Seq2SeqConfig(VOCABULARY, **settings))
    rng = np.random.default_rng(seed)
    for variable in transformer.model.trainable_variables:
        variable.assign(variable + rng.normal(0, 0.5, variable.shape))
        if "output_bias" in variable.name:
            variable.assign([0, 0, end_bias] + [0] * (VOCABULARY - 3))
    return transformer


def logits_of(transformer, source, prefix):
    """The training graph's logits `[1 + len(prefix), vocabulary]` after bos and each token."""
    inputs = [np.array([source]), np.array([[transformer.config.bos_id, *prefix]])]
    return transformer.model(inputs, training=False).numpy()[0]


def length_limit(source, max_length=LONGEST):
    return min(max_length, LONGEST, 2 * len(source) + 16)


def check_greedy(transformer, source, target, max_length=LONGEST):
    """Asserts that every token is the likeliest after its prefix, and the end is due."""
    logits = logits_of(transformer, source, target)
    logits[:, [0, 1]] = -np.inf
    best = logits.argmax(axis=1).tolist()
    assert target == best[:-1]
    assert 2 not in target
    limit = length_limit(source, max_length)
    assert len(target) == limit - 1 or (len(target) < limit - 1 and best[-1] == 2)


VARIANTS = {
    "shared_table": {},
    "shared": {"sharing": "all"},
    "feed_forward_shared": {"sharing": "feed_forward"},
    "pre_norm": {"normalize_first": True},
    "learned_untied": {"positions": "learned", "embedding": EmbeddingConfig(tie="none")},
    "factorized": {"embedding": EmbeddingConfig(8, tie="own", use_output_bias=True)},
}


@pytest.mark.costly
@pytest.mark.parametrize("variant", VARIANTS)
def test_greedy_equals_the_training_graph(variant):
    transformer = model(variant)
    for source, target in zip(SOURCES, greedy_decode(transformer, SOURCES)):
        check_greedy(transformer, source, target)


@pytest.mark.slow
def test_random_model_ends_sentences_and_meets_limits():
    """The comparisons above are about something: targets end in both ways, and differ."""
    end_biases = (3.0, 5.0, 7.0, 9.0)
    targets = [t for bias in end_biases for t in greedy_decode(make(end_bias=bias), SOURCES)]
    at_limit = [len(t) + 1 == length_limit(s) for t, s in zip(targets, SOURCES * len(end_biases))]
    assert any(at_limit)
    assert not all(at_limit)
    assert len({tuple(t) for t in targets}) > 3


def test_greedy_follows_the_weights_and_traces_once():
    transformer = make()
    before = greedy_decode(transformer, SOURCES)
    weights = transformer.model.get_weights()
    transformer.model.set_weights([w * -1 for w in weights])
    assert greedy_decode(transformer, SOURCES[::-1]) != before[::-1]
    transformer.model.set_weights(weights)
    assert greedy_decode(transformer, SOURCES * 50, max_length=9) == [t[:8] for t in before] * 50
    assert transformer._greedy_search._advance.experimental_get_tracing_count() == 1


def test_greedy_of_nothing():
    assert greedy_decode(model(), []) == []


def test_padding_of_the_batch_changes_nothing():
    transformer = model()
    alone = [greedy_decode(transformer, [source])[0] for source in SOURCES]
    assert greedy_decode(transformer, SOURCES) == alone


@one_flavour
@pytest.mark.costly
@pytest.mark.parametrize("max_length", [1, 2, 9, 1000])
def test_max_length(max_length):
    transformer = model(seed=3)
    targets = greedy_decode(transformer, SOURCES, max_length=max_length)
    for source, target in zip(SOURCES, targets):
        check_greedy(transformer, source, target, max_length)
    best = beam_decode(transformer, SOURCES[0], beam_size=3, max_length=max_length)
    assert len(best[0].token_ids) < max_length


@one_flavour
def test_one_beam_is_greedy():
    transformer = model()
    for source, target in zip(SOURCES, greedy_decode(transformer, SOURCES)):
        assert beam_decode(transformer, source, beam_size=1)[0].token_ids == target


@one_flavour
@settings(deadline=None, max_examples=5)
@given(
    source=st.lists(st.integers(4, VOCABULARY - 1), max_size=8).map(lambda ids: [*ids, 2]),
    beam_size=st.integers(1, 5),
    length_penalty=st.sampled_from([0.0, 0.6, 1.0]),
)
def test_scores_are_those_of_the_training_graph(source, beam_size, length_penalty):
    transformer = model(seed=2)
    actual = beam_decode(
        transformer, source, beam_size=beam_size, length_penalty=length_penalty, n_best=beam_size
    )
    assert len({tuple(h.token_ids) for h in actual}) == len(actual) > 0
    assert [h.score for h in actual] == sorted((h.score for h in actual), reverse=True)
    for ids, score in actual:
        log_probability = tf.nn.log_softmax(logits_of(transformer, source, ids)).numpy()
        total = sum(log_probability[i, token] for i, token in enumerate([*ids, 2]))
        assert score == pytest.approx(total / (len(ids) + 1) ** length_penalty, abs=1e-4)
        assert not {0, 1, 2} & set(ids)
        assert len(ids) < length_limit(source)


@one_flavour
def test_wide_beam_finds_the_best_of_all_targets():
    """With more beams than there are targets of at most two tokens, the search is exhaustive."""
    transformer, source = model(seed=3), [7, 9, 2]
    everything = {(): tf.nn.log_softmax(logits_of(transformer, source, []))[0, 2]}
    for token in range(3, VOCABULARY):
        scores = tf.nn.log_softmax(logits_of(transformer, source, [token]))
        everything[(token,)] = (scores[0, token] + scores[1, 2]) / 2
    best = sorted(everything, key=everything.get, reverse=True)[:3]
    actual = beam_decode(transformer, source, beam_size=VOCABULARY, n_best=3, max_length=2)
    assert [tuple(h.token_ids) for h in actual] == best


@pytest.mark.slow
def test_mixed_precision_decodes_in_float32():
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        mixed = make()
    finally:
        keras.mixed_precision.set_global_policy("float32")
    plain = make()
    plain.model.set_weights(mixed.model.get_weights())
    assert to_float32(plain) is plain
    assert greedy_decode(mixed, SOURCES) == greedy_decode(plain, SOURCES)
    options = {"beam_size": 2, "max_length": 5}
    assert beam_decode(mixed, [7, 2], **options) == beam_decode(plain, [7, 2], **options)
    mixed.model.set_weights([w * -1 for w in plain.model.get_weights()])
    plain.model.set_weights(mixed.model.get_weights())
    assert greedy_decode(mixed, SOURCES) == greedy_decode(plain, SOURCES)


@one_flavour
@pytest.mark.parametrize(
    ("sources", "options", "message"),
    [
        ([[5, 2], []], {}, "from 1 to 32 token ids.*Received: sentence 1 with 0"),
        ([[5] * 33], {}, "Received: sentence 0 with 33"),
        ([[5, 2]], {"max_length": 0}, "`max_length` must be a whole number of at least 1"),
    ],
)
def test_wrong_arguments(sources, options, message):
    transformer = model()
    with pytest.raises(InputError, match=message):
        greedy_decode(transformer, sources, **options)
    with pytest.raises(InputError, match=message.replace("sentence 1", "sentence 0")):
        beam_decode(transformer, sources[-1], beam_size=2, **options)


@pytest.mark.parametrize(
    "options", [{"beam_size": 0}, {"beam_size": 10**6}, {"beam_size": 2, "n_best": 3}]
)
def test_wrong_beams(options):
    with pytest.raises(InputError, match="must be"):
        beam_decode(model(), [5, 2], **options)


PREFIXED = [{"target_prefix": (9, 31)}, {"target_prefix": (9,), "bos_id": 2}]


@one_flavour
@pytest.mark.costly
@pytest.mark.parametrize("changes", PREFIXED)
def test_targets_begin_behind_the_prefix(changes):
    """The prefix is decoded and left out, whether a target begins with the begin or the end id."""
    whole = model()
    config = whole.config.replace(**changes)
    transformer = Seq2SeqTransformer(config, model=whole.model)
    targets = greedy_decode(transformer, SOURCES)
    assert targets != greedy_decode(whole, SOURCES)
    first = len(config.target_prefix)
    for source, target in zip(SOURCES, targets):
        logits = logits_of(transformer, source, [*config.target_prefix, *target])[first:]
        logits[:, config.excluded_ids] = -np.inf
        limit = min(LONGEST - first, 2 * len(source) + 16)
        best = logits[: limit - 1].argmax(axis=1).tolist()
        assert target == [token for token in best if token != 2]
        assert len(target) == limit - 1 or best[len(target)] == 2
        (beam,) = beam_decode(transformer, source, beam_size=1)
        assert beam.token_ids == target


@pytest.mark.parametrize(
    "changes",
    [
        {"target_prefix": (40,)},
        {"target_prefix": (-1,)},
        {"target_prefix": (2,)},
        {"target_prefix": (0,)},
        {"target_prefix": (5,) * LONGEST},
        {"target_prefix": (5.0,)},
        {"bos_id": 2},
        {"bos_id": 2, "eos_id": 0, "pad_id": 0, "target_prefix": (5,)},
    ],
)
def test_impossible_prefixes(changes):
    with pytest.raises(InputError, match="impossible configuration"):
        model().config.replace(**changes)
