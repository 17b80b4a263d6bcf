import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfcompress.analysis import Cost, Matrix
from tfcompress.analysis.description import with_prefix

MATRICES = st.builds(Matrix, st.integers(1, 100), st.integers(1, 100))
COSTS = st.builds(Cost, st.lists(MATRICES).map(tuple), st.integers(0, 10**6), st.integers(0, 10**9))


@pytest.mark.parametrize(
    ("rows", "columns", "int8", "int4"),
    [(1, 1, 5, 3), (3, 32, 108, 54), (3, 33, 111, 62), (1000, 64, 68000, 36000)],
)
def test_bytes_of_a_matrix(rows, columns, int8, int4):
    matrix = Matrix(rows, columns)
    assert (matrix.int8_bytes, matrix.int4_bytes) == (int8, int4)


@given(COSTS, COSTS)
def test_costs_add_up(first, second):
    both = first + second
    for name in ("parameters", "weights", "multiply_adds", "float32_bytes", "int8_bytes"):
        assert getattr(both, name) == getattr(first, name) + getattr(second, name)


@given(COSTS, st.integers(1, 5), st.integers(0, 5))
def test_repeated_stores_and_applies_apart(cost, stored, more):
    repeated = cost.repeated(stored=stored, applied=stored + more)
    assert repeated.parameters == stored * cost.parameters
    assert repeated.int4_bytes == stored * cost.int4_bytes
    assert repeated.multiply_adds == (stored + more) * cost.multiply_adds


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.00k"),
        (9_994, "9.99k"),
        (9_996, "10.0k"),
        (99_949, "99.9k"),
        (99_951, "100k"),
        (999_499, "999k"),
        (999_501, "1.00M"),
        (258_080_768, "258M"),
        (6_546_800_640, "6.55G"),
    ],
)
def test_numbers_for_people(number, text):
    assert with_prefix(number) == text


def test_bytes_for_people():
    assert with_prefix(0, "B") == "0 B"
    assert with_prefix(19_500_000, "B") == "19.5 MB"
