import math
from itertools import combinations
from xml.etree import ElementTree

import pytest
from flavours import one_flavour
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from report_samples import HOSTILE, make_row, make_run, make_teacher, rows

from tfcompress.reporting import HistoryPoint, formats
from tfcompress.reporting.charts import bytes_chart, history_charts, latency_chart, size_chart
from tfcompress.reporting.charts.axes import byte_tick, linear_limits, log_limits, number_tick
from tfcompress.reporting.charts.chart import NARROW, shorten
from tfcompress.reporting.charts.series import color, series_numbers, shape
from tfcompress.reporting.comparison import group_runs

pytestmark = one_flavour

values = st.lists(st.floats(min_value=1e-9, max_value=1e18), min_size=1, max_size=5)


def make_chart(make, *rows):
    (group,) = group_runs([make_run(*rows)])
    return make(group.entries)


def axes_of(make, *rows, width=None):
    """The axes of a chart, laid out."""
    figure = make_chart(make, *rows).figure(width)
    FigureCanvasAgg(figure).draw()
    return figure.axes[0]


def marks(axes):
    return [line for line in axes.lines if (line.get_gid() or "").startswith("tooltip")]


def labels(axes):
    return [text.get_text() for text in axes.texts]


def ticks(axis):
    low, high = sorted(axis.get_view_interval())
    return [value for value in axis.get_majorticklocs() if low <= value <= high]


def many_rows():
    return [
        make_row(f"method-{n}", model_bytes=8_000_000 + n * 900_000, bleu=37.0 + math.sin(n))
        for n in range(15)
    ]


@pytest.mark.parametrize("limits", [linear_limits, log_limits])
@given(values=values)
def test_axes_hold_all_values(limits, values):
    low, high = limits(values)
    assert low < min(values)
    assert max(values) < high
    assert math.isfinite(low)
    assert math.isfinite(high)


@settings(max_examples=5, deadline=None)
@given(st.lists(rows(), min_size=1, max_size=4), st.sampled_from([size_chart, latency_chart]))
def test_whatever_was_measured_can_be_drawn(several, make):
    for chart in (make_chart(make, *several), make_chart(bytes_chart, *several)):
        if chart is not None:
            ElementTree.fromstring(chart.svg("chart", NARROW))


@pytest.mark.parametrize("name", [HOSTILE, "$a$ _b ^c \\d", "\u4f60\u597d \U0001f600", "_"])
def test_names_stay_text(name):
    rows = [make_row(name, name), make_row("x" + name, bleu=30.0)]
    for make in (size_chart, bytes_chart):
        svg = ElementTree.fromstring(make_chart(make, *rows).svg("chart"))
        texts = ["".join(text.itertext()) for text in svg.iter("{http://www.w3.org/2000/svg}text")]
        assert any(formats.clean(name)[:20] in text for text in texts)


def test_ticks_are_round():
    axes = axes_of(size_chart, make_teacher(bleu_low=None, bleu_high=None), make_row(bleu=30.1))
    assert ticks(axes.xaxis) == pytest.approx([10e6, 20e6, 50e6, 100e6])
    assert ticks(axes.yaxis) == pytest.approx([30, 32, 34, 36, 38])
    assert [byte_tick(20e6), byte_tick(1.5e9)] == ["20 MB", "1.5 GB"]
    assert [number_tick(2500.0), number_tick(0.2), number_tick(3e12)] == ["2,500", "0.2", "3e+12"]


@pytest.mark.parametrize("sizes", [(8e6, 9e6), (10, 10**18), (600_000, 6e6)])
@pytest.mark.parametrize("width", [NARROW, None])
def test_there_are_some_ticks_and_not_too_many(sizes, width):
    axes = axes_of(size_chart, *(make_row(model_bytes=int(size)) for size in sizes), width=width)
    assert 1 <= len(ticks(axes.xaxis)) <= 8
    assert 2 <= len(ticks(axes.yaxis)) <= 9


@pytest.mark.parametrize("width", [NARROW, None])
def test_labels_cover_neither_labels_nor_marks_and_stay_inside(width):
    rows = many_rows()
    axes = axes_of(size_chart, *rows, width=width)
    assert len(labels(axes)) >= 14
    if width != NARROW:
        assert sorted(labels(axes)) == sorted(row.system for row in rows)
    assert len(marks(axes)) == 15
    boxes, frame = [text.get_window_extent() for text in axes.texts], axes.get_window_extent()
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    assert not any(box.overlaps(mark.get_window_extent()) for box in boxes for mark in marks(axes))
    for box in boxes:
        assert frame.x0 <= box.x0
        assert box.x1 <= frame.x1


def test_equal_systems_share_a_label():
    assert labels(axes_of(size_chart, *(make_row(f"method-{n}") for n in range(15)))) == [
        "method-0 and 14 more"
    ]
    assert labels(axes_of(size_chart, make_row("a"), make_row("b"))) == ["a, b"]


def test_marks_stand_where_the_metrics_say():
    axes = axes_of(size_chart, make_teacher(), make_row())
    assert [(*mark.get_xdata(), *mark.get_ydata()) for mark in marks(axes)] == [
        (140_211_408, 38.31),
        (8_301_222, 37.9),
    ]
    assert axes.get_xscale() == "log"


def drawn(axes, name):
    return [line for line in axes.lines if line.get_gid() == name]


def test_intervals_are_drawn_where_known():
    axes = axes_of(size_chart, make_teacher(), make_row(bleu_low=None, bleu_high=None))
    assert [[*line.get_ydata()] for line in drawn(axes, "interval")] == [[36.8, 39.0]]


def test_frontier_leaves_out_beaten_systems():
    beaten = make_row("beaten", model_bytes=20_000_000, bleu=30.0)
    (line,) = drawn(axes_of(size_chart, make_teacher(), make_row(), beaten), "frontier")
    assert [*line.get_ydata()] == [37.9, 38.31]
    assert "dashed" in make_chart(size_chart, make_teacher(), make_row()).notes[0]
    assert "dashed" not in make_chart(size_chart, make_row(), beaten).notes[0]


@pytest.mark.parametrize(("slow", "scale"), [(100.0, "linear"), (1000.0, "log")])
def test_wide_ranges_of_latency_get_a_log_scale(slow, scale):
    axes = axes_of(latency_chart, make_row(latency_ms=slow), make_row(latency_ms=10.0))
    assert axes.get_xscale() == scale
    assert ("log scale" in axes.get_xlabel()) == (scale == "log")


def test_bars_are_as_long_as_their_sizes():
    rows = [make_row(model_bytes=10**7, bundle_bytes=15 * 10**6), make_row(bundle_bytes=None)]
    for width in (NARROW, None):
        bars = axes_of(bytes_chart, *rows, width=width).patches
        assert [bar.get_width() for bar in bars] == [15e6, 1e7, 8_301_222, 8_301_222]


def test_long_trainings_are_thinned():
    history = [HistoryPoint(step=step, loss=1 / step) for step in range(1, 5001)]
    (chart,) = history_charts(history).values()
    (curve,) = chart.figure().axes[0].lines
    assert 100 < len(curve.get_xdata()) <= 501
    assert curve.get_xdata()[-1] == 5000


def test_a_single_point_is_no_curve():
    assert history_charts([HistoryPoint(step=1, loss=2.0)]) == {}


def test_the_legend_names_the_quantizations_within_the_chart():
    kinds = ["float32", "float16", "dynamic_int8", "static_int8", "int4", "_hidden", "x" * 99]
    rows = [make_row(f"m{n}", kind, bleu=30.0 + n) for n, kind in enumerate(kinds)]
    for width in (NARROW, None):
        figure = axes_of(size_chart, *rows, width=width).figure
        (legend,) = figure.legends
        names = [text.get_text().strip() for text in legend.get_texts()]
        assert names == [*kinds[:-1], "x" * 23 + "\u2026"]
        assert legend.get_window_extent().x0 >= 0
    assert not axes_of(size_chart, rows[0]).figure.legends


def test_series_differ():
    kinds = ["ternary", None, "int4", "float32", "dynamic_int8"]
    numbers = {"float32": 0, "dynamic_int8": 2, "int4": 4, "ternary": 5, None: 6}
    assert series_numbers(kinds) == numbers
    assert len({color(number) for number in range(10)}) == 10
    assert len({(color(number), shape(number)) for number in range(100)}) == 100


def test_text_is_shortened():
    assert shorten("abcdef", 6) == "abcdef"
    assert shorten("abcdefg", 6) == "abcde\u2026"
