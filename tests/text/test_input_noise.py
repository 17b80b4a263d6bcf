"""Noise on source texts."""

import pytest
from flavours import one_flavour
from hypothesis import given, settings
from hypothesis import strategies as st

from tfcompress.errors import InputError
from tfcompress.text import InputNoise

pytestmark = one_flavour

TEXT = "Two young men aren't far from the old bridge."
RATES = ("upper_case", "title_case", "typos", "no_full_stop", "tags")
ALL = InputNoise(upper_case=0.3, title_case=0.4, typos=0.5, no_full_stop=0.5, tags=0.5)


def versions(text, noise, count=60):
    return [noise.apply(text, line=line).text for line in range(count)]


def test_nothing_is_the_default():
    assert {*versions(TEXT, InputNoise())} == {TEXT}


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        ({"upper_case": 1.0}, "TWO YOUNG MEN AREN'T FAR FROM THE OLD BRIDGE."),
        ({"title_case": 1.0}, "Two Young Men Aren't Far From The Old Bridge."),
        ({"no_full_stop": 1.0}, "Two young men aren't far from the old bridge"),
        ({"upper_case": 1, "no_full_stop": 1}, "TWO YOUNG MEN AREN'T FAR FROM THE OLD BRIDGE"),
    ],
)
def test_what_a_rate_of_one_does(rates, expected):
    assert {*versions(TEXT, InputNoise(**rates))} == {expected}


@pytest.mark.parametrize("text", ["", " ", ".", "...", " ?! ", "A"])
def test_texts_with_nothing_to_change(text):
    noise = InputNoise(typos=1.0, no_full_stop=1.0)
    assert {*versions(text, noise)} == {text}


@pytest.mark.parametrize("name", RATES)
def test_a_rate_is_a_part_of_all_texts(name):
    changed = sum(text != TEXT for text in versions(TEXT, InputNoise(**{name: 0.25}), 2000))
    assert 430 < changed < 570


def test_long_texts_have_one_typo_in_forty_letters():
    text = "abcdefgh " * 20_000
    noisy = InputNoise(typos=1.0).apply(text, line=0)
    assert noisy.origins == sorted(noisy.origins, key=lambda place: place // 9)
    words, original = noisy.text.split(" "), text.split(" ")
    assert len(words) == len(original)
    assert 0.1 < sum(a != b for a, b in zip(words, original)) / 20_000 < 0.3


def test_typos_keep_letters_and_words():
    for text in versions(TEXT, InputNoise(typos=1.0)):
        assert text != TEXT
        assert len(text.split()) == len(TEXT.split())
        assert abs(len(text) - len(TEXT)) <= 1
        assert {*text} <= {*TEXT}


def test_tags_surround_words():
    import re

    for text in versions(TEXT, InputNoise(tags=1.0)):
        opening, closing = re.findall(r"<(\w+)>", text), re.findall(r"</(\w+)>", text)
        assert len(opening) == 1
        assert opening == closing
        assert re.sub(r"</?\w+>", "", text) == TEXT


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60), st.integers(0, 10**9), st.integers(0, 3))
def test_every_character_says_where_it_is_from(text, line, variant):
    noisy = ALL.apply(text, line=line, variant=variant)
    assert noisy == ALL.apply(text, line=line, variant=variant)
    assert len(noisy.text) == len(noisy.origins)
    for one, origin in zip(noisy.text, noisy.origins):
        if origin >= 0:
            # Of the same letter, whatever its case: some become two.
            assert one in {text[origin], *text[origin].upper(), *text[origin].title()}


def test_versions_differ_by_line_variant_and_seed():
    noise = InputNoise(typos=1.0)
    texts = {
        InputNoise(typos=1.0, seed=seed).apply(TEXT, line=line, variant=variant).text
        for seed, line, variant in [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
    }
    assert len(texts) > 2
    assert noise.digest() != InputNoise(typos=1.0, seed=1).digest()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"typos": 1.5}, r"`typos` must lie in \[0, 1\] \(received 1.5\)"),
        ({"tags": -0.1}, "`tags` must lie"),
        ({"upper_case": "x"}, "`upper_case` must be a number .received .x."),
        ({"upper_case": float("nan")}, "`upper_case` must lie"),
        ({"upper_case": 0.6, "title_case": 0.6}, "must not exceed 1 together"),
        ({"seed": -1}, "`seed`"),
        ({"variants": 0}, "`variants`"),
    ],
)
def test_impossible(settings, message):
    with pytest.raises(InputError, match=message):
        InputNoise(**settings)
