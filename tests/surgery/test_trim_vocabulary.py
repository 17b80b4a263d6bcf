import numpy as np
import pytest
from models import marian_folders
from surgery.small_models import assert_describes

from tfcompress.errors import InputError
from tfcompress.models import (
    AttentionConfig,
    EmbeddingConfig,
    FeedForwardConfig,
    Seq2SeqConfig,
    Seq2SeqTransformer,
    StackConfig,
    from_marian,
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


@pytest.mark.costly
@pytest.mark.parametrize("separate", [False, True])
def test_two_tokenizers(separate, tmp_path):
    sizes = marian_folders.write_tokenizers(tmp_path, separate=separate)
    config = marian_folders.settings(
        sizes, min(sizes) - 1, share_encoder_decoder_embeddings=not separate
    )
    marian_folders.write_folder(tmp_path, config, marian_folders.random_tensors(config))
    transformer, source, target = from_marian(tmp_path)

    def translated(model, source, target):
        ids = [[*row, model.config.eos_id] for row in source.encode(sentences)]
        targets = greedy_decode(model, ids)
        return targets, target.decode(targets)

    sentences = ["a red dog", "a woman"]
    ids, translations = translated(transformer, source, target)
    smaller, *tokenizers = trim_vocabulary(
        transformer, source, target, sentences, translations, {id for row in ids for id in row}
    )
    assert smaller.config.source_vocabulary_size < config["vocab_size"]
    for tokenizer in tokenizers:
        for role in ("pad_id", "bos_id", "eos_id"):
            assert getattr(smaller.config, role) == getattr(tokenizer, role)
    assert translated(smaller, *tokenizers)[1] == translations


def test_impossible(corpus, tokenizer, tmp_path):
    transformer = make(tokenizer.vocabulary_size, share=True)
    with pytest.raises(InputError, match="needs sentences"):
        trim_vocabulary(transformer, tokenizer, tokenizer, [], [])
    other = train_tokenizer(
        corpus[1], vocabulary_size=tokenizer.vocabulary_size, path=tmp_path / "other.model"
    )
    with pytest.raises(InputError, match="one list of ids"):
        trim_vocabulary(transformer, tokenizer, other, corpus[0], corpus[1])
    with pytest.raises(InputError, match="must have the model's 50 tokens"):
        trim_vocabulary(make(50), tokenizer, tokenizer, corpus[0], corpus[1])


def test_the_targets_prefix_stays(corpus, tokenizer):
    """Under its new id, though no text has it."""
    sources, targets = (side[:50] for side in corpus)
    used = {token for row in tokenizer.encode([*sources, *targets]) for token in row}
    prefix = max({*range(tokenizer.vocabulary_size)} - used)
    transformer = make(tokenizer.vocabulary_size, share=True)
    config = transformer.config.replace(target_prefix=(prefix,))
    transformer = Seq2SeqTransformer(config, model=transformer.model)
    smaller, new, _ = trim_vocabulary(transformer, tokenizer, tokenizer, sources, targets)
    (moved,) = smaller.config.target_prefix
    assert new.vocabulary_size < tokenizer.vocabulary_size
    np.testing.assert_array_equal(
        smaller.layer("embedding").embeddings[moved],
        transformer.layer("embedding").embeddings[prefix],
    )
