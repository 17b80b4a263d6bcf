import re
from html import escape
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_samples import HOSTILE, SIGNATURE, few_examples, make_row, make_run, make_teacher, runs

from tfcompress.reporting import Example, formats, html_report
from tfcompress.reporting.charts import Chart

SVG = "{http://www.w3.org/2000/svg}"


def undrawn(chart, identifier, width=None):
    title = f"<title>{escape(chart.title)}</title>"
    return f'<svg xmlns="{SVG[1:-1]}" id="{identifier}">{title}</svg>'


def parse(several):
    """Parses the page, without its drawings, which take long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Chart, "svg", undrawn)
        return parse_page(html_report(several))


def parse_page(page):
    """Parses a page as XML, which is stricter than HTML."""
    doctype, _, page = page.partition("\n")
    assert doctype == "<!doctype html>"
    return ElementTree.fromstring(page)


def text_of(element):
    return "".join(element.itertext())


def charts(page):
    """The charts' titles; each chart is there for wide and for narrow screens."""
    titles = [text_of(svg.find(f"{SVG}title")) for svg in page.iter(f"{SVG}svg")]
    assert titles[::2] == titles[1::2]
    return titles[::2]


@pytest.fixture(scope="module")
def page():
    return html_report([make_run(make_teacher(), make_row())])


@pytest.fixture(scope="module")
def tree(page):
    return parse_page(page)


@few_examples
@given(several=st.lists(runs, min_size=1, max_size=3))
def test_pages_are_well_formed_and_name_every_system(several):
    page = parse(several)
    systems = [text_of(cell) for cell in page.iter("th") if cell.get("scope") == "row"]
    rows = [row for run in several for row in run.rows]
    assert sorted(systems) == sorted(formats.clean(row.system) for row in rows)
    ids = [element.get("id") for element in page.iter() if element.get("id")]
    assert len(ids) == len(set(ids))


def test_charts_are_described_and_stay_inside():
    other = make_run(make_row("x", "float32", latency_ms=1e6), make_row("y" * 99), name="other")
    page = parse_page(html_report([make_run(make_row()), other]))
    ids = [element.get("id") for element in page.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    for svg in page.iter(f"{SVG}svg"):
        assert svg.get("role") == "img"
        described = {child.get("id") for child in svg if text_of(child)}
        assert set(svg.get("aria-labelledby").split()) <= described
        left, top, right, bottom = map(float, svg.get("viewBox").split())
        for element in svg.iter(f"{SVG}text"):
            if element.get("x"):
                assert left <= float(element.get("x")) <= right
                assert top <= float(element.get("y")) <= bottom


def test_page_needs_nothing_else(page):
    addresses = set(re.findall(r"https?:[^\"' ]*", page))
    assert addresses == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"<script|<link|<img|@import|url\((?!#)|src=|href=\"(?!#)", page)


def test_hostile_text_stays_text():
    run = make_run(
        make_row(HOSTILE, HOSTILE, device=HOSTILE, signature=HOSTILE),
        make_row(HOSTILE, HOSTILE, device="other"),
        name=HOSTILE,
        command=HOSTILE,
        corpus=HOSTILE,
        machine={HOSTILE: HOSTILE},
        versions={HOSTILE: HOSTILE},
        examples=[Example(HOSTILE, HOSTILE, {HOSTILE: HOSTILE})],
    )
    page = parse([run])
    assert not list(page.iter("script"))
    assert "alert" in text_of(page)


def test_four_charts_and_the_training(tree):
    assert charts(tree) == [
        "Size against quality",
        "Latency against quality",
        "Size of the model files",
        "Loss in training",
        "BLEU in training",
    ]


def test_charts_without_figures_are_left_out():
    row = make_row(bleu=None, bleu_low=None, bleu_high=None)
    assert charts(parse([make_run(row, history=[])])) == ["Size of the model files"]
    nothing = make_row(model_bytes=None, bleu=None, bleu_low=None, bleu_high=None)
    assert charts(parse([make_run(nothing, history=[])])) == []


def test_charts_say_what_is_lacking():
    page = parse([make_run(make_teacher(), make_row(latency_ms=None))])
    notes = [text_of(note) for note in page.iter("small")]
    assert notes.count("Not measured: student.") == 1


def test_chart_descriptions_give_the_figures(tree):
    size = next(tree.iter(f"{SVG}svg"))
    description = text_of(size.find(f"{SVG}desc"))
    assert "student: 8.30 MB, BLEU 37.90 [36.8, 39.0]" in description
    assert "teacher: 140 MB, BLEU 38.31 [36.8, 39.0]" in description


def test_latencies_of_different_devices_are_not_mixed():
    rows = [make_row("a", device="phone"), make_row("b", device="local"), make_row("c")]
    titles = [title for title in charts(parse([make_run(*rows)])) if "Latency" in title]
    assert titles == [
        "Latency against quality, on phone",
        "Latency against quality, on local",
    ]


def test_page_tells_where_figures_come_from(tree):
    text = text_of(tree)
    for part in (
        SIGNATURE,
        "tfcompress quickstart --output runs/quickstart",
        "2026-03-01T12:00:00+00:00",
        "Cortex-A76, 4 cores, 8.00 GB memory",
        "1,000 sentences, beam size 4, device local, 1 thread",
        "It is the smallest system that loses at most 1 BLEU against teacher.",
        "Zwei Hunde sind da.",
    ):
        assert part in text


def test_best_row_is_marked():
    page = parse([make_run(make_teacher(), make_row(), make_row("bad", bleu=30.0))])
    (best,) = [row for row in page.iter("tr") if row.get("class") == "best"]
    assert text_of(best).split()[0] == "student"


def test_missing_figures_are_dashes():
    page = parse([make_run(make_teacher(), make_row(latency_ms=None))])
    missing = [text_of(cell) for cell in page.iter("td") if "missing" in cell.get("class", "")]
    assert missing == ["\u2013"]


def luminance(color):
    parts = (int(color[place : place + 2], 16) / 255 for place in (1, 3, 5))
    linear = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear))


def test_text_contrasts_with_what_it_stands_on(page):
    schemes = [
        dict(re.findall(r"--([\w-]+): (#\w{6});", part)) for part in page.split("@media")[:2]
    ]
    assert len({scheme["page"] for scheme in schemes}) == 2
    texts = ["ink", "muted", *(f"series{number}" for number in range(10))]
    for scheme in schemes:
        for text, ground in [
            *((text, "surface") for text in texts),
            ("ink", "accent"),
            ("muted", "page"),
        ]:
            dark, light = sorted((luminance(scheme[text]), luminance(scheme[ground])))
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, ground)
