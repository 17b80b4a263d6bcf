"""docs/decisions has an index that is complete, and pages that name what exists."""

import re
from pathlib import Path

import pytest
from flavours import one_flavour

pytestmark = one_flavour
ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "decisions"
PAGES = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")


def test_the_index_names_every_page():
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^\| \[(\S+)\]\(\1\)", index, re.MULTILINE)) == [
        path.name for path in PAGES
    ]


@pytest.mark.parametrize(
    "page", [*PAGES, FOLDER / "README.md", ROOT / "ARCHITECTURE.md"], ids=lambda page: page.stem
)
def test_what_a_page_names_exists(page):
    text = page.read_text(encoding="utf-8")
    for path in re.findall(r"`((?:tfcompress|export|tests|benchmarks|docs)/[\w./-]*)`", text):
        assert (ROOT / path).exists(), path
