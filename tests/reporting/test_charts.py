import math
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_samples import make_row, make_run, make_teacher

from tfcompress.reporting import HistoryPoint
from tfcompress.reporting.axes import byte_tick, number_tick
from tfcompress.reporting.bars import bytes_chart
from tfcompress.reporting.comparison import group_runs
from tfcompress.reporting.curves import history_charts
from tfcompress.reporting.labels import Box, place_labels, shorten, text_width
from tfcompress.reporting.marks import mark, styles
from tfcompress.reporting.scales import linear_scale, log_scale
from tfcompress.reporting.scatter import latency_chart, size_chart

SVG = "{http://www.w3.org/2000/svg}"
values = st.lists(st.floats(min_value=1e-9, max_value=1e18), min_size=1, max_size=5)


def draw(chart, *rows):
    (group,) = group_runs([make_run(*rows)])
    return ElementTree.fromstring(chart(group.entries, "chart"))


def with_class(svg, name):
    return [element for element in svg.iter() if name in (element.get("class") or "").split()]


@pytest.mark.parametrize("make", [linear_scale, log_scale])
@given(values=values)
def test_scales_hold_all_values_in_order(make, values):
    scale = make(values, 10, 300)
    pixels = [scale(value) for value in sorted(values)]
    assert pixels == sorted(pixels)
    assert pixels[0] >= 10
    assert pixels[-1] <= 300
    ticks = scale.ticks()
    assert 1 <= len(ticks) <= 8
    assert ticks == sorted(set(ticks))
    assert all(10 - 1e-3 <= scale(tick) <= 300 + 1e-3 for tick in ticks)


def test_ticks_are_round():
    assert linear_scale([30.1, 38.3], 0, 400).ticks() == [30, 32, 34, 36, 38]
    assert linear_scale([5, 5], 0, 400).ticks() == [4.6, 4.8, 5, 5.2, 5.4]
    assert linear_scale([8, 61], 0, 400, from_zero=True).ticks()[0] == 0
    assert log_scale([8e6, 140e6], 0, 400).ticks() == [10e6, 20e6, 50e6, 100e6]
    assert [byte_tick(20e6), byte_tick(1.5e9)] == ["20 MB", "1.5 GB"]
    assert [number_tick(2500.0), number_tick(0.2), number_tick(3e12)] == ["2,500", "0.2", "3e+12"]


def test_log_scales_show_ratios():
    scale = log_scale([1e6, 100e6], 0, 400)
    assert scale(10e6) - scale(1e6) == pytest.approx(scale(100e6) - scale(10e6))


points = st.tuples(st.floats(min_value=40, max_value=500), st.floats(min_value=40, max_value=300))


@given(st.lists(points, max_size=12), st.lists(st.integers(5, 150), min_size=12, max_size=12))
def test_labels_cover_neither_labels_nor_points(points, widths):
    frame = Box(0, 0, 540, 340)
    sizes = [(width, 14) for width in widths[: len(points)]]
    boxes = place_labels(points, sizes, frame)
    placed = [box for box in boxes if box is not None]
    assert all(frame.contains(box) for box in placed)
    for index, box in enumerate(placed):
        assert not any(box.overlaps(other) for other in placed[index + 1 :])
        assert not any(box.overlaps(Box(x - 6, y - 6, x + 6, y + 6)) for x, y in points)
    for box, (width, height) in zip(boxes, sizes):
        if box is not None:
            assert box.right - box.left == pytest.approx(width)
            assert box.bottom - box.top == pytest.approx(height)


def test_lone_label_is_beside_its_point():
    assert place_labels([(50, 50)], [(40, 12)], Box(0, 0, 200, 100)) == [Box(59, 44, 99, 56)]


def test_label_changes_sides_at_the_edge_and_at_obstacles():
    (box,) = place_labels([(190, 50)], [(40, 12)], Box(0, 0, 200, 100))
    assert box.left < 190
    assert box.right <= 200
    wall = Box(55, 0, 58, 100)
    (box,) = place_labels([(50, 50)], [(40, 12)], Box(0, 0, 200, 100), obstacles=[wall])
    assert not box.overlaps(wall)


def test_label_without_room_is_left_out():
    assert place_labels([(50, 50)], [(400, 12)], Box(0, 0, 200, 100)) == [None]


def test_lines_through_boxes():
    box = Box(0, 0, 10, 10)
    assert box.is_crossed((-5, 5), (15, 5))
    assert box.is_crossed((5, 5), (50, 50))
    assert not box.is_crossed((-5, 5), (-1, 5))
    assert not box.is_crossed((-5, -5), (-5, 15))
    assert not box.is_crossed((-5, 0), (5, -20))
    assert box.nearest(20, 5) == (10, 5)


def test_text_is_measured_and_shortened():
    assert text_width("mm", 12) > text_width("ll", 12)
    assert shorten("abcdef", 6) == "abcdef"
    assert shorten("abcdefg", 6) == "abcde\u2026"


def test_fifteen_systems_are_all_labelled():
    rows = [
        make_row(f"method-{n}", model_bytes=8_000_000 + n * 900_000, bleu=37.0 + math.sin(n))
        for n in range(15)
    ]
    svg = draw(size_chart, *rows)
    assert [label.text for label in with_class(svg, "label")] == [row.system for row in rows]
    assert len(with_class(svg, "mark")) == 15


def test_equal_systems_share_a_label():
    svg = draw(size_chart, *(make_row(f"method-{n}") for n in range(15)))
    assert [label.text for label in with_class(svg, "label")] == ["method-0 and 14 more"]
    svg = draw(size_chart, make_row("a"), make_row("b"))
    assert [label.text for label in with_class(svg, "label")] == ["a, b"]


def test_marks_stand_where_the_figures_say():
    svg = draw(size_chart, make_teacher(), make_row(), make_row("x", model_bytes=1_000_000))
    student, small = [mark for mark in with_class(svg, "mark") if mark.get("cx")][-2:]
    assert float(small.get("cx")) < float(student.get("cx"))
    assert small.get("cy") == student.get("cy")


def test_intervals_are_drawn_where_known():
    svg = draw(size_chart, make_teacher(), make_row(bleu_low=None, bleu_high=None))
    assert len(with_class(svg, "whisker")) == 1


def test_frontier_leaves_out_beaten_systems():
    beaten = make_row("beaten", model_bytes=20_000_000, bleu=30.0)
    (line,) = with_class(draw(size_chart, make_teacher(), make_row(), beaten), "frontier")
    assert len(line.get("points").split()) == 2
    assert not with_class(draw(size_chart, make_row(), beaten), "frontier")


@pytest.mark.parametrize(("slow", "is_log"), [(100.0, False), (1000.0, True)])
def test_wide_ranges_of_latency_get_a_log_scale(slow, is_log):
    svg = draw(latency_chart, make_row(latency_ms=slow), make_row(latency_ms=10.0))
    (name,) = [text.text for text in svg.iter(f"{SVG}text") if "milliseconds" in text.text]
    assert ("log scale" in name) == is_log


def test_bars_are_as_long_as_their_sizes():
    rows = [make_row(model_bytes=size, bundle_bytes=None) for size in (10**7, 2 * 10**7)]
    short, long = (float(bar.get("width")) for bar in with_class(draw(bytes_chart, *rows), "bar"))
    assert long == pytest.approx(2 * short, abs=0.02)


def test_bundles_reach_beyond_their_models():
    svg = draw(bytes_chart, make_row(model_bytes=10**7, bundle_bytes=15 * 10**6))
    bundle, model = with_class(svg, "bar")[-2:]
    assert "rest" in bundle.get("class")
    assert float(bundle.get("width")) == pytest.approx(1.5 * float(model.get("width")), abs=0.02)


def test_long_trainings_are_thinned():
    history = [HistoryPoint(step=step, loss=1 / step) for step in range(1, 5001)]
    (chart,) = history_charts(history, "run").values()
    (curve,) = with_class(ElementTree.fromstring(chart), "curve")
    corners = curve.get("points").split()
    assert 100 < len(corners) <= 501
    assert float(corners[-1].split(",")[0]) > float(corners[-2].split(",")[0])


def test_legend_takes_the_lines_that_it_needs():
    kinds = ["float32", "float16", "dynamic_int8", "static_int8", "int4", "x" * 99]
    rows = [make_row(f"m{n}", kind, bleu=30.0 + n) for n, kind in enumerate(kinds)]
    svg = draw(size_chart, *rows)
    meanings = [
        text for text in with_class(svg, "tick") if text.text[:9] in {kind[:9] for kind in kinds}
    ]
    assert len(meanings) == 6
    assert len({text.get("y") for text in meanings}) == 2
    assert all(0 < float(text.get("x")) < 500 for text in meanings)
    assert not any(text.text == "float32" for text in draw(size_chart, rows[0]).iter())


def test_a_single_point_is_no_curve():
    assert history_charts([HistoryPoint(step=1, loss=2.0)], "run") == {}


def test_kinds_have_marks_of_their_own():
    kinds = ["ternary", None, "int4", "float32", "dynamic_int8"]
    assert styles(kinds) == {"float32": 0, "dynamic_int8": 2, "int4": 4, "ternary": 5, None: 6}
    assert len({mark(style) for style in range(7)}) == 7
