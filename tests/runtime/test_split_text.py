import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfcompress.export.runtime.splitting import split_text


def shorter_than(limit):
    return lambda text: len(text) <= limit


@pytest.mark.parametrize(
    ("text", "limit", "parts"),
    [
        ("short", 5, ["short"]),
        ("One two. Three four.", 12, ["One two.", "Three four."]),
        ("One two! Three four? Five.", 12, ["One two!", "Three four?", "Five."]),
        ('He said: "No." She left (at once.) Well.', 20, None),
        ("One two. Three four five six seven.", 16, ["One two.", "Three four", "five six seven."]),
        ("aaaa bbbb cccc dddd", 9, ["aaaa bbbb", "cccc dddd"]),
        ("aaaabbbb", 4, ["aaaa", "bbbb"]),
        ("3.14 is pi and 2.72 is e", 14, ["3.14 is pi", "and 2.72 is e"]),
        ("\u4f60\u597d\u3002\u518d\u89c1\u3002", 3, ["\u4f60\u597d\u3002", "\u518d\u89c1\u3002"]),
    ],
)
def test_where_text_is_cut(text, limit, parts):
    found = split_text(text, shorter_than(limit))
    if parts is None:
        parts = ['He said: "No."', "She left (at once.)", "Well."]
    assert found == parts


@given(
    st.text(st.sampled_from("ab .!?\n\u3002") | st.characters(codec="utf-8"), max_size=80),
    st.integers(1, 20),
)
def test_nothing_is_lost(text, limit):
    parts = split_text(text, shorter_than(limit))
    assert all(len(part) <= limit for part in parts)
    assert "".join("".join(part.split()) for part in parts) == "".join(text.split())


def test_a_character_that_does_not_fit():
    assert split_text("one two", lambda text: "w" not in text) is None
