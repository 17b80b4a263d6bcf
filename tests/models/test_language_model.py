"""Language models: every causal mixer and embedding, step by step as at once; surgery."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tfcompress import surgery
from tfcompress.analysis import describe
from tfcompress.errors import InputError
from tfcompress.models import (
    AttentionConfig,
    AveragedAttentionConfig,
    ConvolutionMixerConfig,
    DeLighTConfig,
    EmbeddingConfig,
    FeedForwardConfig,
    LanguageModel,
    LanguageModelConfig,
    LayerDropConfig,
    LSRAConfig,
    Seq2SeqConfig,
    Seq2SeqTransformer,
    SharingConfig,
    StackConfig,
    load_preset,
    preset,
)
from tfcompress.models.transfer import transfer_weights

MIXERS = {
    "multi_head": AttentionConfig(2),
    "averaged": AveragedAttentionConfig(2, intermediate_dim=24),
    "convolution": ConvolutionMixerConfig(2),
    "delight": DeLighTConfig(2),
    "lsra": LSRAConfig(2),
}
EMBEDDINGS = {
    "narrow": EmbeddingConfig(8),
    "adaptive": EmbeddingConfig(layer_type="adaptive", cutoffs=(20,)),
    "define": EmbeddingConfig(8, layer_type="define", tie="own"),
    "dextra": EmbeddingConfig(8, layer_type="dextra", tie="none"),
}
IDS = np.array([[1, 5, 9, 33, 7], [1, 8, 2, 4, 4]], np.int32)


def make(mixer="multi_head", embedding=EMBEDDINGS["narrow"], num_layers=2, **changes):
    stack = StackConfig(
        num_layers,
        attention=MIXERS[mixer],
        feed_forward=FeedForwardConfig(24),
        **changes.pop("stack", {}),
    )
    settings = {"decoder": stack, "embedding": embedding, "max_length": 12, **changes}
    return LanguageModel(LanguageModelConfig(48, hidden_dim=16, **settings))


def check(model):
    """It computes step by step what it does at once, and has the parameters that are counted."""
    logits = model.model(IDS).numpy()
    cache, steps = model.init_cache(len(IDS), 12), []
    for position in range(IDS.shape[1]):
        step, cache = model.step(tf.constant(IDS[:, position]), position, cache)
        steps.append(step.numpy())
    np.testing.assert_allclose(np.stack(steps, axis=1), logits, atol=2e-5)
    changed = IDS.copy()
    changed[:, 3:] = 11
    np.testing.assert_allclose(model.model(changed).numpy()[:, :3], logits[:, :3], atol=1e-5)
    assert describe(model).total.parameters == model.model.count_params()


@pytest.mark.costly
@pytest.mark.parametrize("mixer", MIXERS)
def test_mixers(mixer):
    check(make(mixer, positions="learned", normalize_first=True))


@pytest.mark.costly
@pytest.mark.parametrize("embedding", EMBEDDINGS)
def test_embeddings(embedding):
    check(make(embedding=EMBEDDINGS[embedding]))


@pytest.mark.slow
@pytest.mark.parametrize(
    "stack",
    [
        {"sharing": SharingConfig("all")},
        {"sharing": SharingConfig("attention")},
        {"layer_drop": LayerDropConfig(0.5, learned=True)},
        {"successors": 1},
    ],
)
def test_stacks(stack):
    check(make(stack=stack))


def test_sees_nothing_ahead_of_it_in_a_row():
    """A row's padding behind it changes nothing, so that batches need no masks."""
    model = make(num_layers=1)
    short = model.model(IDS[:1, :3]).numpy()
    np.testing.assert_allclose(model.model(IDS[:1]).numpy()[:, :3], short, atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"decoder": StackConfig(cross_attention=AttentionConfig(2))}, "nothing to attend to"),
        ({"embedding": EmbeddingConfig(share=True)}, "needs a source and a target"),
        ({"max_length": 0}, "`max_length` must be at least 1"),
        ({"eos_id": 48}, "`eos_id` must be an id of every vocabulary"),
        ({"positions": "rotary"}, "`positions` must be one of"),
        ({"embedding": EmbeddingConfig(layer_type="adaptive", cutoffs=(50,))}, "must ascend"),
        ({"embedding": EmbeddingConfig(8, layer_type="define")}, "cannot be shared"),
    ],
)
def test_impossible_configurations(changes, message):
    with pytest.raises(InputError, match=message):
        LanguageModelConfig(48, hidden_dim=16, **changes)


def test_saved_and_loaded(tmp_path):
    model = make(num_layers=1)
    model.save_to_preset(tmp_path / "model")
    again = load_preset(tmp_path / "model")
    assert isinstance(again, LanguageModel)
    assert again.config == model.config
    np.testing.assert_array_equal(again.model(IDS), model.model(IDS))
    with pytest.raises(InputError, match=r"Call LanguageModel\.from_preset"):
        Seq2SeqTransformer.from_preset(tmp_path / "model")
    mapping = model.config.to_mapping()
    assert LanguageModelConfig.from_mapping(mapping) == model.config


def test_published_counts():
    """Those of LayerDrop's released model, but for the final normalization, which it lacks."""
    model = describe("layer_drop_wikitext103")
    assert model.total.parameters == 246_933_504 + 2 * 1024
    halved = dataclasses.replace(preset("layer_drop_wikitext103").decoder, num_layers=8)
    halved = preset("layer_drop_wikitext103").replace(decoder=halved)
    assert describe(halved).total.parameters == 146_163_712 + 2 * 1024
    with pytest.raises(InputError, match="has no target"):
        describe("language_model_tiny", target_length=3)


def test_begins_as_a_translator_s_decoder():
    stack = StackConfig(1, attention=AttentionConfig(2), feed_forward=FeedForwardConfig(24))
    source = Seq2SeqTransformer(
        Seq2SeqConfig(
            48, hidden_dim=16, encoder=stack, decoder=stack, embedding=EMBEDDINGS["narrow"]
        )
    )
    model = make(num_layers=1)
    assert transfer_weights(source, model) == ["decoder_layer_0"]
    table = model.layer("target_embedding").get_weights()[0]
    np.testing.assert_array_equal(table, source.layer("target_embedding").get_weights()[0])


def test_surgery():
    model = make(embedding=EmbeddingConfig())
    check(surgery.drop_layers(model, drop={"decoder": [0]}))
    pruned = surgery.prune_heads(model, drop={"decoder_layer_1_self_attention": [0]})
    assert pruned.config.decoder.attention.num_heads == (2, 1)
    assert pruned.config.decoder.cross_attention is None
    narrow = surgery.narrow_feed_forward(pruned, 8, [IDS])
    small, errors = surgery.factorize_embedding(narrow, 4)
    assert set(errors) == {"target_embedding"}
    check(small)


@pytest.mark.slow
def test_more_surgery():
    theseus = make(stack={"successors": 1})
    taken = surgery.take_successors(theseus)
    np.testing.assert_allclose(taken.model(IDS), theseus.model(IDS), atol=1e-6)
    define = make(embedding=EMBEDDINGS["define"])
    cached = surgery.cache_outputs(define, prefer="cached")
    np.testing.assert_allclose(cached.model(IDS), define.model(IDS), atol=1e-5)
    kept = surgery.search_layers(make(), lambda model: 0.0, decoder=1)
    assert kept == {"decoder": [1]}


def test_surgery_that_makes_no_sense():
    model = make(num_layers=1)
    with pytest.raises(InputError, match="trim_vocabulary is for translation models"):
        surgery.trim_vocabulary(model, None, None, [], [])
    with pytest.raises(InputError, match="`encoder` is for models with such a side"):
        surgery.search_layers(model, lambda model: 0.0, encoder=1)
    with pytest.raises(InputError, match="`drop` must name sides of the model, decoder"):
        surgery.drop_layers(model, drop={"encoder": [0]})
