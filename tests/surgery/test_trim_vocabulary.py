import numpy as np
import pytest
from surgery.small_models import assert_describes

from tfcompress.errors import InputError
from tfcompress.models import (
    AttentionConfig,
    EmbeddingConfig,
    FeedForwardConfig,
    Seq2SeqConfig,
    Seq2SeqTransformer,
    StackConfig,
)
from tfcompress.models.decoding import greedy_decode
from tfcompress.surgery import trim_vocabulary
from tfcompress.text import phrase_corpus, train_tokenizer


@pytest.fixture(scope="module")
def corpus():
    return phrase_corpus(pairs=2000, seed=3, valid=100, test=100).splits["train"]


@pytest.fixture(scope="module", params=["unigram", "bpe"])
def tokenizer(request, corpus, tmp_path_factory):
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.model"
    text = [*corpus[0], *corpus[1]]
    return train_tokenizer(text, vocabulary_size=700, path=path, model_type=request.param)


def make(size, **embedding):
    stack = StackConfig(1, attention=AttentionConfig(2), feed_forward=FeedForwardConfig(16))
    config = Seq2SeqConfig(
        size,
        hidden_dim=16,
        encoder=stack,
        decoder=stack,
        embedding=EmbeddingConfig(**embedding),
        max_target_length=12,
    )
    transformer = Seq2SeqTransformer(config)
    rng = np.random.default_rng(2)
    for weight in transformer.model.trainable_variables:
        weight.assign(weight + rng.normal(0, 0.3, weight.shape))
    return transformer


def translate(transformer, tokenizer, sentences):
    """Returns ids and texts."""
    ids = [[*row, transformer.config.eos_id] for row in tokenizer.encode(sentences)]
    targets = greedy_decode(transformer, ids)
    return targets, tokenizer.decode(targets)


@pytest.mark.costly
@pytest.mark.parametrize(
    "embedding",
    [{"share": True}, {"embedding_dim": 8, "tie": "own", "use_output_bias": True}, {"tie": "none"}],
    ids=["one_table", "own", "untied"],
)
def test_translations_stay(corpus, tokenizer, embedding):
    transformer = make(tokenizer.vocabulary_size, **embedding)
    sources = corpus[0][:40]
    ids, translations = translate(transformer, tokenizer, sources)
    smaller, trimmed, same = trim_vocabulary(
        transformer, tokenizer, tokenizer, sources, translations, {id for row in ids for id in row}
    )
    assert trimmed is same
    assert trimmed.vocabulary_size == smaller.config.source_vocabulary_size
    assert trimmed.vocabulary_size < 0.8 * tokenizer.vocabulary_size
    assert translate(smaller, trimmed, sources)[1] == translations
    assert_describes(smaller)


def test_other_text_can_still_be_spelled(corpus, tokenizer):
    transformer = make(tokenizer.vocabulary_size, share=True)
    _, trimmed, _ = trim_vocabulary(transformer, tokenizer, tokenizer, corpus[0][:5], corpus[1][:5])
    for sentence in corpus[1][100:120]:
        assert trimmed.unk_id not in trimmed.encode([sentence])[0]
        assert trimmed.decode(trimmed.encode([sentence])) == [sentence]


def test_impossible(corpus, tokenizer):
    transformer = make(tokenizer.vocabulary_size, share=True)
    with pytest.raises(InputError, match="needs sentences"):
        trim_vocabulary(transformer, tokenizer, tokenizer, [], [])
    with pytest.raises(InputError, match="must have the model's 50 tokens"):
        trim_vocabulary(make(50), tokenizer, tokenizer, corpus[0], corpus[1])
