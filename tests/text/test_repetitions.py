"""Rows that repeat earlier ones: the same ones are found in memory and in files."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from flavours import one_flavour
from hypothesis import given
from hypothesis import strategies as st

from tfcompress.errors import InputError
from tfcompress.text import repetitions
from tfcompress.text.repetitions import Repetitions

pytestmark = one_flavour

KEYS = st.tuples(st.integers(0, 5), st.sampled_from([0, 1, 2**64 - 1]))


def found(rows, by_both):
    with Repetitions(by_both=by_both) as noted:
        for number, keys in enumerate(rows):
            noted.add(number, *keys)
        return {
            int(number): bool(same)
            for numbers, is_same in noted.find()
            for number, same in zip(numbers, is_same)
        }


@given(st.lists(KEYS, max_size=40), st.booleans(), st.sampled_from([1, 3, 1000]))
def test_repetitions(rows, by_both, held):
    seen: dict = {}
    expected = {}
    for number, keys in enumerate(rows):
        key = keys if by_both else keys[0]
        if key in seen:
            expected[number] = keys[1] == seen[key]
        seen.setdefault(key, keys[1])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repetitions, "_HELD", held)
        assert found(rows, by_both) == expected


def test_temporary_files_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(repetitions, "_HELD", 2)
    with Repetitions(by_both=True) as noted:
        for number in range(9):
            noted.add(number, number, 0)
        assert [*tmp_path.iterdir()]
    assert not [*tmp_path.iterdir()]


def test_a_full_disk_is_one_line(monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(repetitions, "_HELD", 1)
    monkeypatch.setattr(Path, "open", full)
    message = r"cannot be written \(No space left on device\)\. Received: .*TMPDIR"
    with Repetitions(by_both=True) as noted, pytest.raises(InputError, match=message):
        noted.add(0, int(np.uint64(7)), 0)
