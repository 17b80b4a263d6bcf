import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfcompress.layer_selection import drop_rates, layer_drop_keep, top_layers

REPOSITORY = Path(__file__).resolve().parents[1]
FOLDER = Path(os.environ.get("TFCOMPRESS_ORACLES") or REPOSITORY.parent / "shared" / "oracles")
SELECTION = FOLDER / "layerdrop_selection.json"


@pytest.mark.skipif(not SELECTION.exists(), reason=f"no {SELECTION}")
def test_equals_the_reference_rule():
    rows = json.loads(SELECTION.read_text(encoding="utf-8"))["rows"]
    assert rows
    for row in rows:
        assert layer_drop_keep(row["N"], row["p"]) == row["keep_0indexed"], row


def test_published_example():
    assert layer_drop_keep(16, 0.5) == [0, 2, 4, 6, 8, 10, 12, 14]
    assert layer_drop_keep(5, 0.2) == [0, 1, 2, 3]
    assert layer_drop_keep(3, 0.0) == [0, 1, 2]


@given(st.integers(1, 40), st.floats(0.001, 0.5))
def test_every_nth_goes(num_layers, rate):
    keep = layer_drop_keep(num_layers, rate)
    every = math.floor(1 / rate + 1e-9)
    assert sorted(keep) == keep
    dropped = set(range(1, num_layers + 1)) - {i + 1 for i in keep}
    assert dropped == set(range(every, num_layers + 1, every))


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=12), st.data())
def test_top_layers_have_the_highest_scores(scores, data):
    count = data.draw(st.integers(1, len(scores)))
    kept = top_layers(scores, count)
    assert kept == sorted(set(kept))
    assert sorted((scores[i] for i in kept), reverse=True) == sorted(scores, reverse=True)[:count]


@given(st.lists(st.floats(-800, 800), min_size=1, max_size=12), st.floats(0, 1))
def test_drop_rates_are_probabilities_of_the_given_mean(scores, rate):
    rates = drop_rates(scores, rate)
    assert all(0 <= value <= 1 for value in rates)
    assert math.isclose(sum(rates), rate * len(scores), abs_tol=1e-9)
    ordered = [rates[i] for i in sorted(range(len(scores)), key=lambda i: scores[i])]
    assert ordered == sorted(ordered, reverse=True)


def test_drop_rates_are_a_softmax_below_1():
    assert drop_rates([0.0, math.log(2.0), math.log(4.0)], 0.35) == pytest.approx([0.6, 0.3, 0.15])
    # The first would be 1.5.
    assert drop_rates([9.0, 9.0 + math.log(4.0), 9.0 + math.log(12.0)], 2 / 3) == pytest.approx(
        [1.0, 0.75, 0.25]
    )


@pytest.mark.parametrize(
    ("action", "fragments"),
    [
        (lambda: layer_drop_keep(0, 0.5), ["`num_layers`", "num_layers=0"]),
        (lambda: layer_drop_keep(6, 0.6), ["[0, 0.5]", "rate=0.6", "`top_layers`"]),
        (lambda: layer_drop_keep(6, -0.1), ["[0, 0.5]", "rate=-0.1"]),
        (lambda: layer_drop_keep(6, math.nan), ["[0, 0.5]", "rate=nan"]),
        (lambda: top_layers([1.0], 2), ["number of layers, 1", "count=2"]),
        (lambda: top_layers([1.0], 0), ["count=0"]),
        (lambda: drop_rates([], 0.5), ["scores=[]"]),
        (lambda: drop_rates([1.0], 1.5), ["[0, 1]", "rate=1.5"]),
    ],
)
def test_wrong_arguments(action, fragments):
    with pytest.raises(ValueError) as caught:
        action()
    for fragment in ("Received: ", *fragments):
        assert fragment in str(caught.value)


def test_needs_no_tensorflow():
    code = (
        "import sys, tfcompress.layer_selection, tfcompress.surgery.head_selection;"
        "sys.exit('tensorflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY).returncode == 0
