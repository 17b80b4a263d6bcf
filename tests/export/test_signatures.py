from hypothesis import given
from hypothesis import strategies as st

from tfcompress.export.conversion.signatures import logits_block


@given(st.integers(1, 100_000))
def test_logits_block(size):
    block = logits_block(size)
    divisors = [b for b in range(16, 65) if size % b == 0]
    assert block == (max(divisors) if divisors else None)


def test_usual_vocabularies_have_blocks():
    sizes = {6000: 60, 8000: 64, 10_000: 50, 32_000: 64, 40_000: 64, 7919: None}
    assert {size: logits_block(size) for size in sizes} == sizes
