"""What papers print is what `describe` counts."""

import pytest

from tfcompress.analysis import describe
from tfcompress.models import (
    DeLighTConfig,
    EmbeddingConfig,
    FeedForwardConfig,
    ScalingConfig,
    Seq2SeqConfig,
    StackConfig,
    TransformConfig,
    preset,
)


def millions(number, digits=0):
    return round(number / 1e6, digits)


@pytest.mark.parametrize(
    ("width", "parameters", "multiply_adds", "published"),
    [
        (128, 8094432, 1517639840, 8.09),
        (256, 13788584, 2330700160, 13.79),
        (384, 23246072, 3674459760, 23.25),
        (512, 36763788, 5584688080, 36.76),
        (640, 54036236, 8026333120, 54.04),
    ],
)
def test_delight(width, parameters, multiply_adds, published):
    """Mehta et al., 2021, arXiv:2008.00623: the profiler's counts at 20 + 20 tokens."""
    metrics = describe(f"delight_{width}", source_length=20, target_length=20).to_dict()
    assert metrics["parameters"]["total"] == parameters
    assert metrics["published"]["parameters"] == parameters
    assert metrics["published"]["multiply_adds"] == multiply_adds
    assert millions(parameters, 2) == published


def test_delight_romanian():
    """The released profiler's example: width 384, 10 + 10 tokens."""
    config = preset("delight_384").replace(
        source_vocabulary_size=34976, target_vocabulary_size=34976
    )
    published = describe(config, source_length=10, target_length=10).to_dict()["published"]
    assert millions(published["parameters"], 2) == 22.12
    assert millions(published["multiply_adds"], 2) == 928.33


@pytest.mark.parametrize(
    ("min_layers", "max_layers", "multiplier", "expected"),
    [
        (4, 4, 2, 43),
        (8, 8, 2, 115),
        (8, 8, 4, 115),
        (4, 8, 2, 92),
        (4, 12, 2, 158),
        (6, 8, 2, 102),
        (6, 12, 2, 172),
        (4, 12, 3, 158),
        (4, 12, 4, 158),
    ],
)
def test_layers_of_the_ablation(min_layers, max_layers, multiplier, expected):
    """Layers in sequence of a language model: one embedding, one stack, one output."""
    stack = StackConfig(
        max_layers,
        attention=DeLighTConfig(
            1,
            scaling=ScalingConfig(
                min_layers, max_layers=max_layers, width_multiplier=float(multiplier)
            ),
        ),
        feed_forward=FeedForwardConfig(64, activation="swish"),
    )
    embedding = EmbeddingConfig(
        128, share=True, tie="own", layer_type="dextra", transform=TransformConfig(min_layers)
    )
    config = Seq2SeqConfig(
        source_vocabulary_size=1000, hidden_dim=256, encoder=stack, embedding=embedding
    )
    counted = describe(config).to_dict()["num_layers"]
    assert counted["embedding"] + counted["encoder"] + counted["output"] == expected


@pytest.mark.parametrize(
    ("width", "parameters", "multiply_adds", "published"),
    [
        (200, 2884400, 89952000, (2.9, 90)),
        (408, 11739792, 359170560, (11.7, 360)),
        (496, 17283616, 526990080, (17.3, 527)),
    ],
)
def test_lite_transformer(width, parameters, multiply_adds, published):
    """Wu et al., 2020, arXiv:2004.11886: bodies at 30 + 30 tokens."""
    metrics = describe(f"lite_transformer_{width}").to_dict()["published"]
    assert metrics["parameters"] == parameters
    assert metrics["multiply_adds"] == multiply_adds
    assert millions(parameters, 1) == published[0]
    assert abs(multiply_adds / 1e6 - published[1]) < 1


def test_fixed_patterns():
    """Raganato et al., 2020, arXiv:2002.10260."""
    totals = {
        name: describe(f"fixed_patterns_{name}").to_dict()["parameters"]["total"]
        for name in ("8l", "7f1l", "8f")
    }
    assert [millions(total, 1) for total in totals.values()] == [91.7, 88.9, 88.5]
    assert totals["8l"] - totals["7f1l"] == 2757888
    assert totals["8l"] - totals["8f"] == 3151872


def test_published_way_of_counting_is_named():
    assert "DeLighT" in str(describe("delight_128"))
    assert "taps of convolutions not counted" in str(describe("lite_transformer_200"))
    assert "as published" not in str(describe("transformer_tiny"))
