import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from flavours import one_flavour
from hypothesis import example, given
from hypothesis import strategies as st

from tfcompress.text import unicode, unicode_table
from tfcompress.text.unicode import character_class, fold_case, has_category, remove_accents

pytestmark = one_flavour

REPOSITORY = Path(__file__).parents[2]
NATIVE = REPOSITORY / "export" / "native" / "tokenizer"
CATEGORIES = ["L", "N", "P", "Mn", "Cc", "Cf", "Cn"]

same_version = pytest.mark.skipif(
    unicodedata.unidata_version != unicode_table.VERSION,
    reason=f"this Python's Unicode is not that of the tables, {unicode_table.VERSION}",
)


@pytest.fixture
def newer(monkeypatch):
    """Python, but not the tables, knows Ä, ß, ﬁ, the acute accent and ideographs of extension B."""
    ranges = {"Cn": "c4 df 301 fb01 20000-2a6df", "Mn": "300 302-36f"}
    monkeypatch.setattr(unicode, "RANGES", ranges)
    monkeypatch.setattr(unicode, "VERSION", "1.0.0")
    cached = character_class, unicode._of_categories, unicode._newer
    for function in cached:
        function.cache_clear()
    yield
    for function in cached:
        function.cache_clear()


@same_version
@pytest.mark.parametrize("category", CATEGORIES)
def test_categories(category):
    pattern = re.compile(f"[{character_class(category)}]")
    for code in range(sys.maxunicode + 1):
        expected = unicodedata.category(chr(code)).startswith(category)
        assert bool(pattern.match(chr(code))) == expected, hex(code)


@same_version
def test_tables_are_those_of_the_script(tmp_path):
    made = tmp_path / "native.cc", tmp_path / "table.py"
    subprocess.run([sys.executable, NATIVE / "make_tables.py", *made], check=True)
    assert made[0].read_text() == (NATIVE / "unicode_tables.cc").read_text()
    assert made[1].read_text() == Path(unicode_table.__file__).read_text()


def test_tables_are_of_one_version():
    first_line = (NATIVE / "unicode_tables.cc").read_text().partition("\n")[0]
    assert f"Unicode {unicode_table.VERSION}." in first_line


@pytest.mark.parametrize(
    ("character", "categories", "expected"),
    [("!", ("P", "L"), True), ("a", ("P", "N"), False), ("\u0301", ("Mn",), True)],
)
def test_has_category(character, categories, expected):
    assert has_category(character, *categories) is expected


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Straße ﬁne", "strasse fine"),
        ("İI", "i̇i"),
        ("Å\u0323", "ạ̊"),
        ("ｶﾞ①", "ガ1"),
        ("a\u00ad\u200bb\ufe0f", "ab"),
        ("\u1112\u1161\u11ab", "한"),
    ],
)
def test_fold_case(text, folded):
    assert fold_case(text) == folded


@given(text=st.text())
@example("ΑΣ \u0345")
def test_folded_text_stays(text):
    assert fold_case(fold_case(text)) == fold_case(text)


@given(text=st.text())
def test_no_marks_are_left(text):
    left = remove_accents(text)
    assert remove_accents(left) == left
    assert not any(has_category(character, "Mn") for character in left)


def test_characters_that_the_tables_do_not_know_are_left_alone(newer):
    assert fold_case("aÄßB ﬁ\U00020000C") == "aÄßb ﬁ\U00020000c"
    assert fold_case("ÉA\u0301Ü") == "éa\u0301ü"
    assert remove_accents("éÄ") == "e\u0301Ä"
