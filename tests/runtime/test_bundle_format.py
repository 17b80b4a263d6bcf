"""docs/bundle-format.md describes what export writes."""

import json
import re
from pathlib import Path

import pytest
from flavours import one_flavour

from tfcompress.decoder_state import StateSpec
from tfcompress.runtime import manifest, text_encoder_bundle

pytestmark = one_flavour
PAGE = (Path(__file__).parents[2] / "docs" / "bundle-format.md").read_text(encoding="utf-8")
KEYS = {*re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)}


def keys_of(bundle):
    return {*json.loads((bundle / "manifest.json").read_text())}


def test_the_page_is_that_of_this_version():
    assert f"# The bundle format, version {manifest.FORMAT}\n" in PAGE
    assert f"| `format` | integer | {manifest.FORMAT} |" in PAGE
    assert f"\n| {manifest.FORMAT} | " in PAGE


@pytest.mark.slow
def test_the_page_names_what_manifests_hold(bundle, plain_bundle, encoder_bundles):
    for path in (bundle, plain_bundle, *encoder_bundles.values()):
        assert keys_of(path) <= KEYS


def test_the_page_names_types_of_models_and_tokenizers():
    for model_type in manifest._RUNS:
        assert f"`{model_type}`" in PAGE
    for tokenizer_type, files in text_encoder_bundle._FILES.items():
        (row,) = re.findall(rf"^\| `{tokenizer_type}` \|.*", PAGE, re.MULTILINE)
        assert all(f"`{file}`" in row for file in files)


def test_the_page_describes_state():
    assert {"name", *StateSpec((None, 4)).to_mapping()} <= KEYS
