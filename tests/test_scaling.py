import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfcompress.scaling import (
    GroupSchedule,
    block_wise_scaling,
    default_max_groups,
    define_schedule,
    dextra_schedule,
)

REPOSITORY = Path(__file__).resolve().parents[1]
FOLDER = Path(os.environ.get("TFCOMPRESS_ORACLES") or REPOSITORY.parent / "shared" / "oracles")
FILE = FOLDER / "delight_schedules.json"
SCHEDULES = {
    "dextra": dextra_schedule,
    "define": define_schedule,
    "released": lambda *args: define_schedule(*args, released=True),
}


@pytest.fixture(scope="module")
def reference():
    """What the reference code gave for many widths and numbers of layers."""
    if not FILE.exists():
        pytest.skip(f"no {FILE}; set TFCOMPRESS_ORACLES to its folder")
    return json.loads(FILE.read_text())


def test_units_of_the_reference_code(reference):
    schedules = {"dextra": dextra_schedule, "define_iclr": SCHEDULES["released"]}
    for unit in reference["units"]:
        expected = GroupSchedule(*(tuple(unit[name]) for name in ("in", "out", "groups")))
        names = ("in_proj_features", "out_features", "max_features", "N", "g_max")
        assert schedules[unit["kind"]](*(unit[name] for name in names)) == expected, unit
    assert {unit["kind"] for unit in reference["units"]} == schedules.keys()


def test_blocks_of_the_reference_code(reference):
    assert reference["blockwise"]
    for case in reference["blockwise"]:
        blocks = block_wise_scaling(case["N_min"], case["N_max"], case["m_w"], case["B"])
        assert blocks == list(zip(case["depths"], case["widths"])), case


def test_groups_of_the_reference_code(reference):
    rule = reference["max_groups_rule"]
    assert rule
    assert {width: default_max_groups(int(width)) for width in rule} == rule


@pytest.mark.parametrize(
    ("num_layers", "outputs", "groups"),
    [
        (2, (128, 128), (2, 2)),
        (3, (128, 512, 128), (2, 4, 2)),
        (4, (128, 512, 512, 128), (2, 4, 4, 2)),
        (5, (128, 320, 512, 320, 128), (2, 4, 8, 4, 2)),
        (8, (128, 256, 384, 512, 512, 384, 256, 128), (2, 4, 8, 8, 8, 8, 4, 2)),
    ],
)
def test_dextra(num_layers, outputs, groups):
    inputs = (128, *(width + 128 for width in outputs[:-1]))
    assert dextra_schedule(128, 128, 512, num_layers, 8) == GroupSchedule(inputs, outputs, groups)


@pytest.mark.parametrize(
    ("num_layers", "max_groups", "released", "groups"),
    [
        (4, 8, False, (8, 4, 2, 1)),
        (4, 8, True, (8, 4, 2, 1)),
        (4, 4, False, (4, 2, 1, 1)),
        (4, 4, True, (1, 4, 2, 1)),
        (7, 8, False, (8, 4, 2, 1, 1, 1, 1)),
        (7, 8, True, (4, 2, 1, 8, 4, 2, 1)),
        (7, 4, True, (1, 4, 2, 1, 4, 2, 1)),
    ],
)
def test_groups_of_define(num_layers, max_groups, released, groups):
    schedule = define_schedule(64, 64, 512, num_layers, max_groups, released=released)
    assert schedule.groups == groups


def test_define_grows_up_to_the_last_layer():
    assert define_schedule(128, 96, 512, 4, 8).outputs == (256, 384, 512, 96)


POWERS = st.sampled_from((1, 2, 4, 8, 16))


@given(
    name=st.sampled_from(sorted(SCHEDULES)),
    num_layers=st.integers(2, 12),
    max_groups=POWERS,
    parts=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    max_width=st.floats(1, 3000),
)
def test_every_group_gets_whole_numbers(name, num_layers, max_groups, parts, max_width):
    projection, output = (part * max_groups for part in parts)
    schedule = SCHEDULES[name](projection, output, max_width, num_layers, max_groups)
    assert len(schedule.inputs) == len(schedule.outputs) == len(schedule.groups) == num_layers
    assert max(schedule.groups) <= max_groups
    assert schedule.outputs[-1] == output
    assert schedule.inputs == (projection, *(projection + w for w in schedule.outputs[:-1]))
    for layer, groups in enumerate(schedule.groups):
        assert projection % groups == schedule.outputs[layer] % groups == 0
        assert schedule.inputs[layer] % groups == 0
    largest = max(max_width, projection)
    assert all(0 < width < largest + max(8, max_groups) for width in schedule.outputs[:-1])


@given(max_groups=POWERS)
def test_paper_and_released_code_agree_at_one_number_of_layers(max_groups):
    num_layers = max(2, int(math.log2(max_groups)) + 1)
    sizes = (64, 64, 256, num_layers, max_groups)
    assert define_schedule(*sizes) == define_schedule(*sizes, released=True)


@given(
    counts=st.tuples(st.integers(2, 12), st.integers(0, 12)),
    multiplier=st.floats(0.5, 8),
    num_blocks=st.integers(1, 24),
)
def test_blocks_grow_from_the_first_to_the_last(counts, multiplier, num_blocks):
    first, last = counts[0], sum(counts)
    blocks = block_wise_scaling(first, last, multiplier, num_blocks)
    assert len(blocks) == num_blocks
    assert blocks == sorted(blocks)
    assert blocks[0] == (first, round(multiplier, 3))
    if num_blocks > 1:
        assert blocks[-1] == (last, round(multiplier + last / first - 1, 3))
    if first == last:
        assert set(blocks) == {blocks[0]}


def test_as_many_blocks_as_the_last_is_deep():
    assert block_wise_scaling(4, 8, 2.0) == block_wise_scaling(4, 8, 2.0, 8)


@given(st.integers(1, 5000))
def test_default_groups(width):
    assert default_max_groups(width) == 2 ** max(0, math.ceil(math.log2(width / 32)))


def test_number_of_layers_of_the_published_models():
    """43, 92 and 158 layers in all, of 4 to 12 in a block (the paper's ablation table)."""

    def num_layers(smallest, largest):
        blocks = block_wise_scaling(smallest, largest, 2.0)
        return sum(layers + 5 for layers, _ in blocks) + smallest + 3

    assert [num_layers(4, 4), num_layers(8, 8), num_layers(4, 8), num_layers(4, 12)] == [
        43,
        115,
        92,
        158,
    ]


CASES = {
    "num_layers": (
        lambda: dextra_schedule(64, 64, 128, 1, 4),
        ["`num_layers`", "at least 2", "num_layers=1"],
    ),
    "define_layers": (lambda: define_schedule(64, 64, 128, 0, 4), ["`num_layers`", "num_layers=0"]),
    "projection": (
        lambda: dextra_schedule(0, 64, 128, 4, 4),
        ["`projection_dim`", "projection_dim=0, output_dim=64, max_groups=4"],
    ),
    "output": (lambda: define_schedule(64, -8, 128, 4, 4), ["`output_dim`", "output_dim=-8"]),
    "groups": (lambda: dextra_schedule(64, 64, 128, 4, 0), ["`max_groups`", "max_groups=0"]),
    "width": (lambda: dextra_schedule(64, 64, 0.5, 4, 4), ["`max_width`", "max_width=0.5"]),
    "no_width": (lambda: define_schedule(64, 64, math.nan, 4, 4), ["`max_width`", "nan"]),
    "endless": (lambda: dextra_schedule(64, 64, math.inf, 4, 4), ["`max_width`", "inf"]),
    "odd_projection": (
        lambda: dextra_schedule(63, 64, 128, 4, 4),
        ["2 groups of layer 0", "width 63", "projection_dim=63", "num_layers=4", "power of two"],
    ),
    "odd_output": (
        lambda: dextra_schedule(64, 63, 128, 4, 4),
        ["2 groups of layer 3", "width 63", "output_dim=63"],
    ),
    "groups_that_do_not_divide": (
        lambda: dextra_schedule(96, 96, 256, 5, 6),
        ["6 groups of layer 2", "max_groups=6", "max_width=256"],
    ),
    "groups_that_divide_the_sum_only": (
        lambda: dextra_schedule(4, 4, 8, 3, 3),
        ["3 groups of layer 1", "width 4"],
    ),
    "define_groups": (
        lambda: define_schedule(60, 64, 128, 4, 8),
        ["8 groups of layer 0", "width 60"],
    ),
    "blocks_layers": (
        lambda: block_wise_scaling(1, 8, 2.0),
        ["at least 2", "min_layers=1, max_layers=8"],
    ),
    "blocks_shrink": (lambda: block_wise_scaling(8, 4, 2.0), ["min_layers=8, max_layers=4"]),
    "blocks_multiplier": (
        lambda: block_wise_scaling(4, 8, 0.0),
        ["`width_multiplier`", "width_multiplier=0.0"],
    ),
    "blocks_none": (
        lambda: block_wise_scaling(4, 8, 2.0, 0),
        ["`num_blocks`", "num_blocks=0"],
    ),
    "hidden": (lambda: default_max_groups(0), ["`hidden_dim`", "hidden_dim=0"]),
}


@pytest.mark.parametrize("name", CASES)
def test_message(name):
    action, fragments = CASES[name]
    with pytest.raises(ValueError) as caught:
        action()
    for fragment in ("Received: ", *fragments):
        assert fragment in str(caught.value)


def test_needs_no_tensorflow():
    code = "import sys, tfcompress.scaling; sys.exit('tensorflow' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=REPOSITORY)
