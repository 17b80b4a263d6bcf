"""Cross-attention learns alignments: the formula, and training with it."""

import numpy as np
import pytest
from flavours import legacy_only
from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.layers.common.capturing import captured_calls
from tfcompress.models import (
    AttentionConfig,
    EmbeddingConfig,
    FeedForwardConfig,
    LayerDropConfig,
    Seq2SeqConfig,
    Seq2SeqTransformer,
    SSRUConfig,
    StackConfig,
)
from tfcompress.models.alignment import alignment_attention
from tfcompress.text import TokenizedPairs, Tokenizer, train_tokenizer
from tfcompress.training import (
    Distillation,
    DistillationConfig,
    GuidedAlignment,
    GuidedAlignmentConfig,
    LabelSmoothedCrossentropy,
    QuantizeAwareConfig,
    TrainingConfig,
    Validation,
    train,
)
from tfcompress.training.accumulation import crossentropy

LOSS = LabelSmoothedCrossentropy(0.1)
SOURCE = np.array([[5, 6, 7, 2], [8, 9, 2, 0]], np.int32)
LABELS = np.array([[9, 8, 2], [7, 2, 0]], np.int32)
TARGET = np.array([[1, 9, 8], [1, 7, 2]], np.int32)
ALIGNMENT = np.zeros((2, 3, 4), np.float32)
ALIGNMENT[0, 0, [0, 2]] = 0.5
ALIGNMENT[0, 1, 1] = 1
ALIGNMENT[1, 0, 1] = 1
# Where there is no label nothing counts.
ALIGNMENT[1, 2, 0] = 1
INPUTS = {"source_token_ids": SOURCE, "target_token_ids": TARGET, "alignment": ALIGNMENT}
PLAIN = {name: INPUTS[name] for name in ("source_token_ids", "target_token_ids")}


def config_of(vocabulary=20, num_layers=1, width=16, **decoder):
    stack = {"attention": AttentionConfig(2), "feed_forward": FeedForwardConfig(width)}
    return Seq2SeqConfig(
        vocabulary,
        hidden_dim=width,
        encoder=StackConfig(1, **stack),
        decoder=StackConfig(num_layers, **stack | decoder),
        embedding=EmbeddingConfig(share=True),
        dropout=0.0,
        max_source_length=40,
        max_target_length=40,
        alignment_head=0,
    )


def probabilities(model, head=0):
    """What a head of the last decoder layer attends to, from its projections, in numpy."""
    attention = model.decoder_layers[-1].cross_attention
    queries, keys = [], []
    for dense, calls in ((attention.query, queries), (attention.key, keys)):
        with captured_calls({"dense": dense}) as captured:
            model.forward(SOURCE, TARGET)
        calls.append(np.asarray(captured["dense"][-1][1], np.float64)[..., 8 * head :][..., :8])
    scores = np.einsum("bth,bsh->bts", queries[0], keys[0]) / np.sqrt(8)
    scores = np.where((SOURCE != 0)[:, None], scores, -np.inf)
    return np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)


def expected_loss(attended):
    losses = -(ALIGNMENT * np.log(attended + 1e-6)).sum(-1)
    return losses[LABELS != 0].sum() / (LABELS != 0).sum()


@pytest.mark.parametrize("decoder", [{}, {"attention": SSRUConfig(2)}], ids=["self", "ssru"])
def test_the_formula(decoder):
    model = Seq2SeqTransformer(config_of(num_layers=2, **decoder))
    objective = crossentropy(model.model, LOSS)
    guided = GuidedAlignment(objective, model, weight=0.5)
    plain = float(objective(PLAIN, LABELS))
    assert float(guided(INPUTS, LABELS)) == pytest.approx(
        plain + 0.5 * expected_loss(probabilities(model)), rel=1e-5
    )
    assert alignment_attention(model) is model.decoder_layers[-1].cross_attention


def test_the_mean_of_all_heads():
    model = Seq2SeqTransformer(config_of().replace(alignment_head=None))
    objective = crossentropy(model.model, LOSS)
    attended = np.mean([probabilities(model, head) for head in range(2)], axis=0)
    expected = float(objective(PLAIN, LABELS)) + expected_loss(attended)
    assert float(GuidedAlignment(objective, model, weight=1.0)(INPUTS, LABELS)) == pytest.approx(
        expected, rel=1e-5
    )


def test_beside_distillation():
    model = Seq2SeqTransformer(config_of())
    distillation = Distillation(model, model, LOSS, weight=0.5, hidden_weight=1.0)
    guided = GuidedAlignment(distillation, model, weight=2.0)
    assert guided.helpers == distillation.helpers
    expected = float(distillation(PLAIN, LABELS)) + 2.0 * expected_loss(probabilities(model))
    assert float(guided(INPUTS, LABELS)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("changes", "weight", "message"),
    [
        ({}, 0.0, "`weight` must be positive"),
        ({"layer_drop": LayerDropConfig(0.2)}, 0.1, "always runs"),
    ],
)
def test_impossible(changes, weight, message):
    model = Seq2SeqTransformer(config_of(**changes))
    with pytest.raises(InputError, match=message):
        GuidedAlignment(crossentropy(model.model, LOSS), model, weight=weight)


SENTENCES = [f"a{'b' * (i % 5)} c{'d' * (i % 7)} e{'f' * (i % 3)}" for i in range(60)]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    path = tmp_path_factory.mktemp("tokenizer") / "joint.model"
    return train_tokenizer(SENTENCES, vocabulary_size=30, path=path, hard_vocab_limit=False)


def pairs_of(tokenizer: Tokenizer, aligned=True):
    """Each sentence with itself, aligned backwards."""
    pairs = TokenizedPairs.from_corpus(tokenizer, SENTENCES, SENTENCES)
    if not aligned:
        return pairs
    links, splits = [], [0]
    for count in pairs.source_lengths:
        for place in range(count):
            links += [count - 1 - place, place]
        splits.append(len(links))
    arrays = (pairs.source_ids, pairs.source_row_splits, pairs.target_ids, pairs.target_row_splits)
    return TokenizedPairs(*arrays, alignment=(np.array(links), np.array(splits)))


def trained(tokenizer, folder, *, width=16, aligned=True, start=None, teacher=None, **settings):
    options = {"updates": 40, "batch_tokens": 512, "learning_rate": 0.01, "schedule": "constant"}
    options |= {"evaluate_every": 20, "evaluate_sentences": 0}
    options |= {"guided_alignment": GuidedAlignmentConfig(weight=2.0)} | settings
    validation = Validation(SENTENCES[:5], SENTENCES[:5], tokenizer, tokenizer)
    config = TrainingConfig(**options)
    model_config = config_of(tokenizer.vocabulary_size, width=width, attention=SSRUConfig(2))
    return train(
        model_config,
        pairs_of(tokenizer, aligned),
        validation,
        config,
        folder,
        start=start,
        teacher=teacher,
        verbose=0,
        log=lambda line: None,
    )[0]


def agreement(model, tokenizer):
    """How often the head attends most to the piece that is aligned."""
    right = total = 0
    for ids in tokenizer.encode(SENTENCES[:20]):
        source = np.array([[*ids, 2]], np.int32)
        target = np.array([[1, *ids]], np.int32)
        with alignment_attention(model).recording("probabilities") as recorded:
            model.forward(source, target)
        best = np.argmax(recorded[-1][0, 0, : len(ids)], axis=-1)
        right += int((best == np.arange(len(ids))[::-1]).sum())
        total += len(ids)
    return right / total


def test_attention_learns_alignments(tokenizer, tmp_path):
    keras.utils.set_random_seed(1)
    model = trained(tokenizer, tmp_path / "a", updates=80)
    assert agreement(model, tokenizer) > 0.8


@pytest.mark.slow
def test_training_goes_on_where_it_was(tokenizer, tmp_path):
    whole = trained(tokenizer, tmp_path / "whole")
    trained(tokenizer, tmp_path / "half", updates=20)
    half = trained(tokenizer, tmp_path / "half")
    for one, other in zip(whole.model.weights, half.model.weights):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_with_a_teacher_and_accumulation(tokenizer, tmp_path):
    teacher = trained(tokenizer, tmp_path / "teacher", updates=20)
    trained(
        tokenizer,
        tmp_path / "student",
        updates=20,
        teacher=teacher,
        accumulate=2,
        precision="mixed_bfloat16",
        distillation=DistillationConfig(),
    )


@pytest.mark.slow
@legacy_only
def test_with_quantization(tokenizer, tmp_path):
    # Smaller matrices are not quantized.
    settings = {"width": 64, "learning_rate": 0.003, "quantize_aware": QuantizeAwareConfig()}
    model = trained(tokenizer, tmp_path, updates=80, **settings)
    assert agreement(model, tokenizer) > 0.8


def test_pairs_without_alignment(tokenizer, tmp_path):
    with pytest.raises(InputError, match="need an alignment"):
        trained(tokenizer, tmp_path, aligned=False)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"guided_alignment": GuidedAlignmentConfig(0.0)}, "`guided_alignment.weight`"),
        ({"guided_alignment": GuidedAlignmentConfig(float("nan"))}, "`guided_alignment.weight`"),
    ],
)
def test_impossible_settings(settings, message):
    with pytest.raises(InputError, match=message):
        TrainingConfig(**settings)
