import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfcompress.reporting import formats


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1 B"),
        (999, "999 B"),
        (1000, "1.00 kB"),
        (999_499, "999 kB"),
        (999_500, "1.00 MB"),
        (9_994_999, "9.99 MB"),
        (9_995_001, "10.0 MB"),
        (16_934_112, "16.9 MB"),
        (140_211_408, "140 MB"),
        (10**18, "1.00 EB"),
    ],
)
def test_byte_sizes_have_three_digits(value, text):
    assert formats.byte_size(value) == text


@given(st.floats(min_value=1, max_value=1e18))
def test_byte_sizes_are_right_to_half_a_digit(value):
    number, unit = formats.byte_size(value).split()
    power = ["B", "kB", "MB", "GB", "TB", "PB", "EB"].index(unit)
    assert float(number) * 1000**power == pytest.approx(value, rel=5.1e-3)


def test_numbers():
    assert formats.count(8_092_416) == "8.09M"
    assert formats.decimal(1234.56) == "1,234.6"
    assert formats.decimal(0.04) == "0.04"
    assert formats.decimal(0) == "0.0"
    assert formats.decimal(3.2e12) == "3.2e+12"
    assert formats.signed(0.414) == "+0.41"
    assert formats.signed(-0.001) == "0.00"
    assert formats.ratio(0.5) == "0.50x"
    assert formats.score(37.94, 36.81, 39.02) == "37.94 [36.8, 39.0]"
    assert formats.score(37.94) == "37.94"
    assert formats.counted(1, "core") == "1 core"


@given(st.text(st.characters(codec=None)))
def test_clean_text_is_one_line_that_can_be_encoded(text):
    cleaned = formats.clean(text)
    assert cleaned.isprintable() or not any(c in cleaned for c in "\n\r\t\0\x1b\x85")
    assert formats.clean(cleaned) == cleaned
    cleaned.encode()


@given(st.text("aäß語\u0301", max_size=9), st.booleans())
def test_padding_fills_to_the_width(text, right):
    columns = formats.width(text) + 3
    padded = formats.pad(text, columns, right)
    assert formats.width(padded) == columns
    assert padded.endswith(text) if right else padded.startswith(text)
