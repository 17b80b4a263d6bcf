"""The charts of the HTML report."""

from tfcompress.reporting.charts.bars import bytes_chart
from tfcompress.reporting.charts.chart import Chart
from tfcompress.reporting.charts.curves import history_charts
from tfcompress.reporting.charts.scatter import latency_chart, size_chart

__all__ = ["Chart", "bytes_chart", "history_charts", "latency_chart", "size_chart"]
