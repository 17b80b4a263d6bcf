import re
from pathlib import Path

import pytest
import regex
from flavours import one_flavour

from tfcompress.text import characters, is_blank
from tfcompress.text.text_tables import NUMBERED, RUNS, TITLES

pytestmark = one_flavour

NATIVE = Path(__file__).parents[2] / "export" / "native" / "runtime" / "text_tables.cc"
# Where there is anything but Chinese characters, Hangul syllables and surrogates.
CODES = [*range(0x3400), *range(0xA000, 0xAC00), *range(0xE000, 0x12000), *range(0xE0000, 0xE1001)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        (" ", True),
        ("\t", True),
        ("\u00a0", True),
        ("\u3000", True),
        ("\u200b", True),
        ("\u2028\u2029", True),
        ("\ufeff", True),
        ("\x00\x0b\x1c\x85", True),
        ("\u200d\u2060\u00ad\u202e", True),
        ("\u3164", True),
        ("\U000e0041", True),
        ("a", False),
        (" \u200b.\t", False),
        ("\u0301", False),
        ("\U0001f600", False),
        ("0", False),
    ],
)
def test_blank_texts(text, expected):
    assert is_blank(text) is expected


def test_blank_characters_are_unicodes():
    expected = regex.compile(r"[\p{White_Space}\p{Cc}\p{Cf}\p{Z}\p{Default_Ignorable_Code_Point}]")
    found = "".join(chr(code) for code in CODES if is_blank(chr(code)))
    assert found == "".join(expected.findall("".join(map(chr, CODES))))


def test_kinds():
    for expected, members in {
        characters.SOFT_END: ".!?\u2026\u203c\u037e",
        characters.HARD_END: "\u061f\u06d4\u0964\u3002\uff01\uff1f\uff0e\uff61\u104b\u1362",
        characters.CLOSE: ")]}\u00bb\u201d\u2019\u300d\u300f\uff09\"'",
        characters.OPEN: "([{\u00ab\u201c\u2018\u201e\u300c\u00bf\u00a1\u2014-",
        characters.DIGIT: "059\u0663\uff15",
        characters.SMALL: "az\u00df\u0438\u03b1",
        characters.INITIAL: "AZ\u00c4\u0418\u05d0\u062f",
        0: "\u4e2d\ud55c\u0915\u10d0 +\u3001\u104a",
    }.items():
        assert {c: characters.character_class(c) for c in members} == dict.fromkeys(
            members, expected
        )


def test_scripts_without_spaces():
    assert all(map(characters.is_unspaced, "中あアーกກកက。"))
    assert not any(map(characters.is_unspaced, "aZ\u0438\u05d0\u0915\ud55c .1"))


def test_the_native_table_is_the_same():
    source = NATIVE.read_text(encoding="utf-8")
    assert re.findall(r"0x([0-9a-f]+)", source) == RUNS.split()
    titles, numbered = (re.findall('U"([^"]+)"', part) for part in source.split("kNumbered[]"))
    assert titles == sorted(TITLES.split()) == TITLES.split()
    assert numbered == sorted(NUMBERED.split()) == NUMBERED.split()
