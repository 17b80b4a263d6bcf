"""Language models in reports: the lower the perplexity, the better."""

import pytest

from tfcompress.errors import InputError
from tfcompress.reporting import HistoryPoint, Row, RunResults, write_report
from tfcompress.reporting.charts.curves import history_charts
from tfcompress.reporting.charts.scatter import size_chart
from tfcompress.reporting.comparison import group_runs
from tfcompress.reporting.summary import best_entry, summary

ROWS = [
    Row(system="lm", quantization=name, model_bytes=size, perplexity=value, latency_ms=1.0)
    for name, size, value in [
        ("float32", 4_000_000, 20.0),
        ("dynamic_int8", 1_000_000, 20.5),
        ("int4", 600_000, 25.0),
    ]
]


def results(rows=ROWS, **changes):
    return RunResults(
        name="lm",
        created="2026-03-01T12:00:00+00:00",
        command="tfcompress train",
        machine={},
        versions={},
        corpus="texts",
        rows=rows,
        **changes,
    )


def test_the_best_loses_little():
    (group,) = group_runs([results()])
    best = best_entry(group)
    assert best.row.quantization == "dynamic_int8"
    assert best.score_loss == pytest.approx(0.5)
    assert "perplexity 20.50 (+0.50)" in summary(group)


def test_charts(tmp_path):
    (group,) = group_runs([results()])
    chart = size_chart(group.entries)
    assert chart.description.startswith("Lower left is better")
    assert chart.notes[0].startswith("Down and to the left is better")
    history = [HistoryPoint(step=i, validation_perplexity=30.0 - i) for i in range(3)]
    assert "Perplexity" in history_charts(history)
    for name in ("report.md", "report.html"):
        write_report([results(history=history)], tmp_path / name)
        assert "perplexity" in (tmp_path / name).read_text()


def test_impossible_metrics():
    with pytest.raises(InputError, match="perplexity"):
        Row(system="lm", perplexity=-1.0)
    with pytest.raises(InputError, match="perplexity_low"):
        Row(system="lm", perplexity=3.0, perplexity_low=2.0)
