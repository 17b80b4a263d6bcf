import math

import numpy as np
import pytest
import sacrebleu
from flavours import one_flavour
from hypothesis import given, settings
from hypothesis import strategies as st

from tfcompress.errors import InputError
from tfcompress.text.bleu import bootstrap_interval, corpus_bleu, paired_bootstrap

pytestmark = one_flavour

WORDS = ["a", "the", "dog", "cat", "man", "ball", "plays", "sits", "with", "in", "red", "big", "."]


def corpus(count, noise, seed=0):
    """References, and hypotheses with a share of the words replaced."""
    generator = np.random.default_rng(seed)
    references = [generator.choice(WORDS, generator.integers(5, 15)) for _ in range(count)]
    hypotheses = [
        np.where(generator.random(len(row)) < noise, generator.choice(WORDS, len(row)), row)
        for row in references
    ]
    return [" ".join(row) for row in hypotheses], [" ".join(row) for row in references]


def test_score_worked_out_by_hand():
    result = corpus_bleu(["a b c d e f"], ["a b c d x y z q"], tokenize="none")
    precisions = 4 / 6, 3 / 5, 2 / 4, 1 / 3
    brevity = math.exp(1 - 8 / 6)
    expected = 100 * brevity * math.prod(precisions) ** 0.25
    assert result.score == pytest.approx(expected)
    assert result.brevity_penalty == pytest.approx(brevity)
    assert result.precisions == pytest.approx([100 * p for p in precisions])
    assert result.sentences == 1


@settings(deadline=None)
@given(
    rows=st.lists(st.tuples(st.text("aA bB.,"), st.text("aA bB.,")), min_size=1),
    tokenize=st.sampled_from(["13a", "none", "intl", "char", "zh"]),
    lowercase=st.booleans(),
)
def test_score_is_sacrebleus(rows, tokenize, lowercase):
    hypotheses, references = map(list, zip(*rows))
    result = corpus_bleu(hypotheses, references, tokenize=tokenize, lowercase=lowercase)
    expected = sacrebleu.corpus_bleu(
        hypotheses, [references], tokenize=tokenize, lowercase=lowercase
    )
    assert result.score == expected.score
    assert list(result.precisions) == expected.precisions
    assert f"tok:{tokenize}" in result.signature
    assert f"case:{'lc' if lowercase else 'mixed'}" in result.signature


def test_perfect_translation_scores_100_without_doubt():
    _, references = corpus(30, 0)
    assert corpus_bleu(references, references).score == pytest.approx(100)
    assert bootstrap_interval(references, references) == pytest.approx((100, 100))


def test_interval_is_that_of_resampled_corpora():
    hypotheses, references = corpus(20, 0.3)
    generator = np.random.default_rng(99)
    scores = []
    for _ in range(1500):
        chosen = generator.integers(0, 20, 20)
        resampled = [hypotheses[i] for i in chosen], [[references[i] for i in chosen]]
        scores.append(sacrebleu.corpus_bleu(*resampled, tokenize="none").score)
    low, high = bootstrap_interval(hypotheses, references, tokenize="none", samples=4000)
    assert low == pytest.approx(np.percentile(scores, 2.5), abs=1)
    assert high == pytest.approx(np.percentile(scores, 97.5), abs=1)
    assert low < corpus_bleu(hypotheses, references, tokenize="none").score < high


def test_interval_depends_on_the_seed_alone_and_narrows_with_sentences():
    few, many = corpus(40, 0.3), corpus(1000, 0.3)
    assert bootstrap_interval(*few, seed=1) == bootstrap_interval(*few, seed=1)
    assert bootstrap_interval(*few, seed=1) != bootstrap_interval(*few, seed=2)
    widths = [high - low for low, high in (bootstrap_interval(*few), bootstrap_interval(*many))]
    assert widths[1] < widths[0] / 2


def test_paired_bootstrap_tells_systems_apart():
    good, references = corpus(200, 0.2, seed=1)
    bad, same_references = corpus(200, 0.5, seed=1)
    assert references == same_references
    result = paired_bootstrap(good, bad, references)
    expected = corpus_bleu(good, references).score - corpus_bleu(bad, references).score
    assert result.difference == pytest.approx(expected)
    assert 0 < result.low < result.difference < result.high
    assert result.p_value < 0.01
    reverse = paired_bootstrap(bad, good, references)
    assert reverse.difference == -result.difference
    assert (reverse.low, reverse.high) == pytest.approx((-result.high, -result.low))
    assert reverse.p_value == result.p_value


def test_paired_bootstrap_of_equal_systems():
    hypotheses, references = corpus(50, 0.3)
    result = paired_bootstrap(hypotheses, hypotheses, references)
    assert (result.difference, result.low, result.high, result.p_value) == (0, 0, 0, 1)


def test_p_values_of_equally_good_systems_are_seldom_small():
    small = 0
    for seed in range(40):
        hypotheses, references = corpus(60, 0.3, seed=seed)
        generator = np.random.default_rng(seed)
        systems = [[replace_word(line, generator) for line in hypotheses] for _ in range(2)]
        small += paired_bootstrap(*systems, references, samples=200).p_value < 0.05
    assert small <= 7


def replace_word(line, generator):
    words = line.split()
    words[generator.integers(len(words))] = "x"
    return " ".join(words)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((["a"], ["a", "b"]), {}, "1 hypotheses, 2 references"),
        (([], []), {}, "no sentences"),
        (("a", ["a"]), {}, "one string"),
        ((["a"], "a"), {}, "one string"),
        ((["a"], ["a"]), {"tokenize": "spm"}, "must be one of 13a, none"),
    ],
)
def test_bad_input(arguments, options, message):
    for function in (corpus_bleu, bootstrap_interval):
        with pytest.raises(InputError, match=message):
            function(*arguments, **options)


def test_bad_input_of_bootstraps():
    with pytest.raises(InputError, match="samples=0"):
        bootstrap_interval(["a"], ["a"], samples=0)
    with pytest.raises(InputError, match="2 hypotheses, 1 references"):
        paired_bootstrap(["a"], ["a", "b"], ["a"])
    with pytest.raises(InputError, match="1 hypotheses, 2 references"):
        paired_bootstrap(["a"], ["a"], ["a", "b"])
