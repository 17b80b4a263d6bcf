"""all-MiniLM-L6-v2, a published model.

`data/minilm.json` holds texts, the ids of the published tokenizer (package tokenizers 0.23.3), and
vectors that were computed from the published tensors by another implementation, in double
precision with numpy and rounded to six digits. Those of PyTorch 2.15 with transformers 5.23 are the
same to 7e-7.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from minilm import needs_minilm

from tfcompress.models import from_safetensors
from tfcompress.models.published_weights import minilm_folder
from tfcompress.text import encode_texts, load_text_tokenizer

pytestmark = needs_minilm
EXPECTED = json.loads((Path(__file__).parent / "data" / "minilm.json").read_text())


@pytest.fixture(scope="module")
def encoder():
    return from_safetensors(minilm_folder())


def test_ids_are_the_published_tokenizers():
    ids, lengths = encode_texts(
        load_text_tokenizer(minilm_folder()), EXPECTED["texts"], max_length=512
    )
    assert [row[:n].tolist() for row, n in zip(ids, lengths)] == EXPECTED["ids"]


def test_vectors_are_the_published_models(encoder):
    ids, lengths = encode_texts(
        load_text_tokenizer(minilm_folder()), EXPECTED["texts"], max_length=512
    )
    actual = encoder.model({"token_ids": ids, "token_type_ids": 0 * ids})["embedding"]
    np.testing.assert_allclose(actual, EXPECTED["vectors"], atol=1e-5)
    # One text without padding.
    row = ids[6:7, : lengths[6]]
    actual = encoder.call_without_mask(row)["embedding"]
    np.testing.assert_allclose(actual, EXPECTED["vectors"][6:7], atol=1e-5)


def test_its_size(encoder):
    # Its texts have at most 256 tokens, as `max_seq_length` says.
    assert encoder.config.max_length == 256
    whole = from_safetensors(minilm_folder(), max_length=512)
    # Without the pooler, which sentence vectors do not read.
    assert whole.model.count_params() == 22_565_376
    assert encoder.model.count_params() == 22_565_376 - 256 * 384
    assert (encoder.config.encoder.num_layers, encoder.config.hidden_dim) == (6, 384)
