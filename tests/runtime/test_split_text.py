import pytest
import regex
from flavours import one_flavour
from hypothesis import given
from hypothesis import strategies as st
from split_texts import CLUSTERS, SENTENCES, mixed_texts

from tfcompress.runtime.sentences import sentence_begins
from tfcompress.runtime.splitting import join_texts, split_lines, split_sentences, split_text

pytestmark = one_flavour


def shorter_than(limit):
    return lambda text: len(text) <= limit


def cut(text, cuts):
    return [text[begin:end].strip() for begin, end in zip([0, *cuts], [*cuts, len(text)])]


def parts_of(marked, bars):
    for bar in bars:
        marked = marked.replace(bar, "|")
    return [part.strip() for part in marked.split("|")]


@pytest.mark.parametrize("marked", SENTENCES)
def test_where_sentences_end(marked):
    text = marked.replace("|", "").replace("\u00a6", "")
    actual = cut(text, sentence_begins(text, doubtful=False))
    assert actual == parts_of(marked.replace("\u00a6", ""), "|")
    assert cut(text, sentence_begins(text, doubtful=True)) == parts_of(marked, "\u00a6")


@pytest.mark.parametrize("marked", SENTENCES)
def test_sentences_and_what_is_between(marked):
    text = marked.replace("|", "").replace("\u00a6", "")
    parts = split_sentences(text)
    assert [sentence for _, sentence in parts] == parts_of(marked.replace("\u00a6", ""), "|")
    # Where there is no space, join_texts may put one.
    assert join_texts(parts).replace(" ", "") == text.replace(" ", "")


def test_space_between_sentences():
    text = "\n One.  Two.\tThree. Four \r\n\n  Five.\u3000Six.\u200b\n\x01\nSeven. "
    parts = split_sentences(text)
    assert join_texts(parts) == text.strip()
    assert [space for space, _ in parts] == [
        "", "  ", "\t", "", " \r\n\n  ", "\u3000", "\u200b\n\x01\n"
    ]  # fmt: skip
    assert split_sentences(" \n\u200b") == []


@given(mixed_texts)
def test_sentences_lose_nothing(text):
    joined = "".join(sentence for _, sentence in split_sentences(text))
    seen = regex.compile(r"[^\p{White_Space}\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]")
    assert seen.findall(joined) == seen.findall(text)


@pytest.mark.parametrize("sentence", ["The man runs.", "the man runs .", "Он бежит.", "他跑。"])
def test_each_of_many_sentences_is_a_part(sentence):
    text = " ".join([sentence] * 40)
    assert split_text(text, shorter_than(len(text) - 1)) == [sentence] * 40
    assert split_text(text, shorter_than(len(text))) == [text]


@pytest.mark.parametrize(
    ("text", "limit", "parts"),
    [
        ("short", 5, ["short"]),
        ("One two. Three four five six seven.", 16, ["One two.", "Three four five", "six seven."]),
        ("aaaa bbbb cccc dddd", 9, ["aaaa bbbb", "cccc dddd"]),
        ("aaaabbbb", 4, ["aaaa", "bbbb"]),
        ("3.14 is pi and 2.72 is e", 14, ["3.14 is pi and", "2.72 is e"]),
        ("你好。再见。", 3, ["你好。", "再见。"]),
        (
            "\u4e00\u4e8c\uff0c\u4e09\u56db\u4e94\u516d",
            5,
            ["\u4e00\u4e8c\uff0c", "\u4e09\u56db\u4e94\u516d"],
        ),
        ("\U0001f1e9\U0001f1ea" * 3, 5, ["\U0001f1e9\U0001f1ea" * 2, "\U0001f1e9\U0001f1ea"]),
        ("e\u0301" * 3, 3, ["e\u0301"] * 3),
        ("e\u0301", 1, ["e", "\u0301"]),
        ("\u200b\u200b ab \ufeff", 2, ["ab"]),
    ],
)
def test_what_a_sentence_is_packed_into(text, limit, parts):
    assert split_text(text, shorter_than(limit)) == parts


@given(mixed_texts, st.integers(1, 20))
def test_nothing_is_lost_or_too_long(text, limit):
    lines = split_lines(text)
    parts = [part for _, line in lines for part in split_text(line, shorter_than(limit))]
    assert all(0 < len(part) <= limit for part in parts)
    seen = regex.compile(r"[^\p{White_Space}\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]")
    assert seen.findall("".join(parts)) == seen.findall(text)


LONGEST = max(map(len, CLUSTERS))


@given(mixed_texts, st.integers(3 * LONGEST, 5 * LONGEST))
def test_grapheme_clusters_are_whole(text, limit):
    """Between two parts, somewhere in what was left out, a cluster of Unicode's begins."""
    for _, line in split_lines(text):
        begins = {actual.start() for actual in regex.finditer(r"\X", line)}
        if any(len(actual[0]) > LONGEST for actual in regex.finditer(r"\X", line)):
            continue
        end = None
        for part in split_text(line, shorter_than(limit)):
            begin = line.index(part, end or 0)
            assert end is None or begins & {*range(end, begin + 1)}
            end = begin + len(part)


def test_a_code_point_that_does_not_fit():
    assert split_text("one two", lambda text: "w" not in text) is None


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("a", [("", "a")]),
        (" a\r\n\r\n\u200b\n b\n", [("", "a"), ("\r\n\r\n\n", "b")]),
        ("\n\na\rb\u2028c\x0bd\x85e", [("", "a\rb\u2028c\x0bd\x85e")]),
    ],
)
def test_lines(text, lines):
    assert split_lines(text) == lines


@pytest.mark.parametrize(
    ("texts", "joined"),
    [
        (["Eins.", "Zwei.", "", "Drei."], "Eins. Zwei. Drei."),
        (["", "Zwei."], "Zwei."),
        (["\u4f60\u597d\u3002", "\u518d\u89c1"], "\u4f60\u597d\u3002\u518d\u89c1"),
        (["\u201c\u597d\u3002\u201d", "OK?", "\u597d"], "\u201c\u597d\u3002\u201dOK? \u597d"),
        (["\u4f60\u597d", "\u518d\u89c1"], "\u4f60\u597d\u518d\u89c1"),
        (["\u0e01\u0e32", "\u0e01\u0e32"], "\u0e01\u0e32\u0e01\u0e32"),
        (["\ub124.", "\ub124."], "\ub124. \ub124."),
        (["In \u5317\u4eac.", "She"], "In \u5317\u4eac. She"),
        (["...", "!"], "... !"),
    ],
)
def test_how_translations_are_joined(texts, joined):
    assert join_texts([("", text) for text in texts]) == joined


def test_line_breaks_are_kept():
    assert join_texts([("", "A."), ("", "B."), ("\n\n", ""), ("", "C."), ("\r\n", "D.")]) == (
        "A. B.\n\nC.\r\nD."
    )
