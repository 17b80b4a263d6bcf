import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_samples import HOSTILE, SIGNATURE, few_examples, make_row, make_run, make_teacher, runs

from tfcompress.errors import InputError
from tfcompress.reporting import Example, formats, markdown_report, terminal_table, write_report


def unescaped(markdown):
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown)


def cells(line):
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def table_lines(markdown):
    return [line for line in markdown.splitlines() if line.startswith("|")]


@few_examples
@given(st.lists(runs, min_size=1, max_size=3))
def test_every_system_is_named(several):
    table, page = terminal_table(several), markdown_report(several)
    for run in several:
        for row in run.rows:
            assert formats.clean(row.system) in table
            assert formats.clean(row.system) in unescaped(page)
    assert "\x1b" not in table + page
    (table + page).encode()


@few_examples
@given(st.lists(runs, min_size=1, max_size=2))
def test_markdown_tables_are_regular(several):
    lines = table_lines(markdown_report(several))
    starts = [index for index, line in enumerate(lines) if set(line) <= set("|-: ")]
    for rule, end in zip(starts, [*(start - 1 for start in starts[1:]), len(lines)]):
        assert len({len(cells(line)) for line in lines[rule - 1 : end]}) == 1
        assert len({formats.width(line) for line in lines[rule - 1 : end]}) == 1


def test_markdown_table_has_the_figures():
    page = markdown_report([make_run(make_teacher(), make_row(latency_ms=None))])
    header, rule, teacher, student = table_lines(page)[:4]
    assert cells(header)[2:] == [
        "params", "model", "bundle", "smaller", "BLEU [95%]", "change", "ms/sent.", "tokens/s",
        "memory",
    ]  # fmt: skip
    assert [cell[-1] for cell in cells(rule)] == ["-", "-"] + [":"] * 9
    assert cells(teacher)[:2] == ["teacher", "float32"]
    assert cells(student) == [
        "student", "dynamic_int8", "8.09M", "8.30 MB", "9.40 MB", "16.9x", "37.90 [36.8, 39.0]",
        "-0.41", "-", "1,429", "71.6 MB",
    ]  # fmt: skip


def test_markdown_tells_where_figures_come_from():
    page = markdown_report([make_run(make_teacher(), make_row())])
    for part in (
        f"`{SIGNATURE}`",
        "`tfcompress quickstart --output runs/quickstart`",
        "2026-03-01T12:00:00+00:00",
        "Cortex-A76, 4 cores, 8.00 GB memory",
        "tfcompress 0.1.0, sacrebleu 2.6.0",
        "1,000 sentences, beam size 4, device local, 1 thread",
        "Zwei Hunde sind da.",
    ):
        assert part in page


def test_hostile_text_stays_text_in_markdown():
    run = make_run(
        make_row(HOSTILE), name=HOSTILE, command="a `b` ``c", examples=[Example(HOSTILE, "b", {})]
    )
    page = markdown_report([run])
    assert re.search(r"(?<!\\)[<>]", page) is None
    assert re.search(r"(?<!\\)\*", page) is None
    assert r"\[f](g)" in page or r"[f\](g)" in page
    assert "``` a `b` ``c ```" in page
    assert not any(line.startswith("# i") for line in page.splitlines())
    assert len({len(cells(line)) for line in table_lines(page)[:3]}) == 1


def test_examples_are_limited():
    examples = [Example(f"sentence {number}.", "x", {}) for number in range(20)]
    page = markdown_report([make_run(make_row(), examples=examples)], max_examples=3)
    assert "sentence 2." in page
    assert "sentence 3." not in page


def test_runs_translations_of_a_sentence_stand_together():
    several = [
        make_run(make_row(), name=name, examples=[Example("Hi.", "Hallo.", translations)])
        for name, translations in {"a": {"x": "1", "y": "2"}, "b": {"x": "1", "y": "3"}}.items()
    ]
    page = markdown_report(several)
    assert page.count("Sentence") == 1
    rows = table_lines(page)[-6:]
    assert list(map(cells, rows[:1] + rows[2:])) == [
        ["source", "Hi."], ["reference", "Hallo."], ["x", "1"], ["y", "2"], ["y (b)", "3"],
    ]  # fmt: skip


def test_what_runs_share_is_told_once():
    page = markdown_report([make_run(make_row(), name=name) for name in "ab"])
    assert page.count("- command:") == page.count("- machine:") == 1
    assert "- run: a" in page
    assert "- run: b" in page


def test_runs_have_a_column_unless_they_are_named_as_their_systems():
    def has_runs(*systems):
        several = [make_run(make_row(s), name=name) for s, name in zip(systems, "ab")]
        return "run" in cells(table_lines(markdown_report(several))[0])

    assert has_runs("x", "y")
    assert not has_runs("a", "b")
    assert not has_runs("x")


def test_conditions_that_differ_are_columns():
    rows = [make_row(beam_size=1), make_row(beam_size=4, signature="nrefs:1|tok:none")]
    page = markdown_report([make_run(*rows)])
    header, _, first, second = map(cells, table_lines(page)[:4])
    for name, values in {"beam": ["1", "4"], "signature": ["[1]", "[2]"]}.items():
        assert [row[header.index(name)] for row in (first, second)] == values
    assert "`[2] nrefs:1|tok:none`" in page
    assert "beam size" not in table_lines(page)[0]
    assert "- measured with: 1,000 sentences, device local, 1 thread" in page


def test_figures_that_no_row_has_have_no_column():
    table = terminal_table([make_run(make_row(latency_ms=None), make_row(latency_ms=None))])
    assert "ms/sent." not in table
    assert "tokens/s" in table


def test_terminal_table_is_aligned():
    lines = terminal_table([make_run(make_teacher(), make_row("短い"))]).splitlines()
    assert lines[0].split() == [
        "system", "quantization", "params", "model", "smaller", "BLEU", "[95%]", "change",
        "ms/sent.", "tokens/s", "memory",
    ]  # fmt: skip
    assert len({formats.width(line) for line in lines[:4]}) == 1
    assert lines[1].strip("-") == ""
    assert lines[3].split()[-1] == "MB"
    assert lines[5] == f"BLEU {SIGNATURE}"


def test_groups_have_a_table_each():
    several = [make_run(make_row(), corpus=corpus) for corpus in ("x", "y", "x")]
    blocks = terminal_table(several).split("\n\n")
    assert [block.count("dynamic_int8  ") for block in blocks] == [2, 1]


def test_reports_are_written_by_suffix(tmp_path):
    several = [make_run(make_teacher(), make_row("süß"))]
    path = write_report(several, tmp_path / "report.md")
    assert path.read_text(encoding="utf-8") == markdown_report(several)
    page = write_report(several, str(tmp_path / "report.HTML")).read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    ("several", "name", "message"),
    [
        ([make_run()], "report.pdf", r"must end in \.md or \.html\. .*report\.pdf"),
        ([], "report.md", "There must be runs"),
        ([make_run()], "file/report.md", "be written"),
    ],
)
def test_reports_that_cannot_be_written(tmp_path, several, name, message):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=message):
        write_report(several, tmp_path / name)
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]
