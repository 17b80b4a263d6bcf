"""docs/adding-a-method.md, word for word."""

import re
import sys
import types
from pathlib import Path

import pytest
from flavours import one_flavour

import tfcompress as tfc
from tfcompress.models import (
    AttentionConfig,
    FeedForwardConfig,
    Seq2SeqConfig,
    Seq2SeqTransformer,
    StackConfig,
)
from tfcompress.models.mixers import MIXERS

pytestmark = one_flavour
PAGE = (Path(__file__).parents[1] / "docs" / "adding-a-method.md").read_text(encoding="utf-8")
LAYER, ENTRY, USE, TEST = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def run(code, name, **names):
    module = types.ModuleType(name)
    vars(module).update(names)
    sys.modules[name] = module
    exec(compile(code, name, "exec"), vars(module))
    return module


@pytest.fixture
def mixer(monkeypatch):
    """The page's layer and entry, as if they stood in the library."""
    layer = run(LAYER, "page_layer").MovingAverage
    monkeypatch.setattr(tfc.layers, "MovingAverage", layer, raising=False)
    entry = run(ENTRY, "page_entry").MovingAverageConfig
    yield layer, entry
    del MIXERS["moving_average"]


def test_the_layer_does_what_every_layer_must(mixer):
    from layers import harness

    run(TEST, "page_test", **{**vars(harness), "MovingAverage": mixer[0]})


def test_a_model_with_it_is_described_exported_and_run(mixer, tmp_path, capsys):
    used = run(
        USE,
        "page_use",
        tfc=tfc,
        bundle=tmp_path / "bundle",
        AttentionConfig=AttentionConfig,
        FeedForwardConfig=FeedForwardConfig,
        MovingAverageConfig=mixer[1],
        Seq2SeqConfig=Seq2SeqConfig,
        Seq2SeqTransformer=Seq2SeqTransformer,
        StackConfig=StackConfig,
    )
    description, translation = capsys.readouterr().out.rsplit("\n", 2)[:2]
    total = tfc.analysis.describe(used.config).total
    assert "decoder" in description
    assert total.parameters == used.model.model.count_params()
    assert translation.startswith("[[")
    mapping = used.config.to_mapping()
    assert mapping["decoder"]["attention"]["mixer"] == "moving_average"
    assert Seq2SeqConfig.from_mapping(mapping) == used.config


def test_it_is_refused_where_it_makes_no_sense(mixer):
    encoder = StackConfig(attention=mixer[1]())
    with pytest.raises(tfc.errors.InputError, match="for the decoder only"):
        Seq2SeqConfig(60, encoder=encoder)
    with pytest.raises(tfc.errors.InputError, match="must be at least 2"):
        Seq2SeqConfig(60, decoder=StackConfig(attention=mixer[1](window=1)))
