"""What the examples in docstrings call exists."""

import re
from functools import reduce
from pathlib import Path

import pytest

import tfcompress as tfc

PACKAGES = [Path(tfc.__file__).parent]
NAMES = {
    name
    for package in PACKAGES
    for file in package.rglob("*.py")
    for name in re.findall(r"\btfc\.([A-Za-z_]\w*(?:\.\w+)*)", file.read_text("utf-8"))
    # Those of custom operations are no Python.
    if not name[0].isupper()
}


def test_there_are_examples():
    assert len(NAMES) > 50


@pytest.mark.parametrize("name", sorted(NAMES))
def test_name(name):
    reduce(getattr, name.split("."), tfc)
