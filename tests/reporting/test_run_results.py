import json

import pytest
from hypothesis import given
from report_samples import few_examples, make_row, make_run, make_teacher, runs

from tfcompress.errors import InputError
from tfcompress.reporting import HistoryPoint, Row, load_results, save_results
from tfcompress.schema import to_mapping


@few_examples
@given(run=runs)
def test_what_is_saved_is_loaded(tmp_path_factory, run):
    folder = tmp_path_factory.getbasetemp()
    path = save_results(run, folder)
    assert path == folder / "results.json"
    assert load_results(folder) == load_results(path) == run


def test_results_are_readable_text(tmp_path):
    path = save_results(make_run(make_row("süß")), tmp_path)
    assert '"system": "süß"' in path.read_text(encoding="utf-8")
    assert sorted(tmp_path.iterdir()) == [path]


def test_missing_folders_are_made(tmp_path):
    assert save_results(make_run(), tmp_path / "runs" / "new").is_file()


def test_unwritable_folder_is_reported(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"be written .*file.results\.json"):
        save_results(make_run(), tmp_path / "file")


@pytest.mark.parametrize("name", ["run", "run/results.json"])
def test_missing_results_are_reported(tmp_path, name):
    with pytest.raises(InputError, match=r"must have been evaluated\. .*run.results\.json"):
        load_results(tmp_path / name)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff", b'{"name": "x"', b"[" * 100_000, b"1" * 10_000],
    ids=["empty", "brace", "encoding", "cut", "depth", "digits"],
)
def test_damaged_results_are_reported(tmp_path, content):
    (tmp_path / "results.json").write_bytes(content)
    with pytest.raises(InputError, match=r"results\.json.*Evaluate the run again"):
        load_results(tmp_path)


def change(path, value):
    def apply(content):
        *parents, last = path
        for key in parents:
            content = content[key]
        content[last] = value

    return apply


@pytest.mark.parametrize(
    ("apply", "message"),
    [
        (change(["rows", 1, "blue"], 3), r"unknown key `rows\[1\]\.blue`: did you mean `bleu`"),
        (change(["rows", 0, "bleu"], "38"), r"`rows\[0\]\.bleu` must be a number or null"),
        (
            change(["rows", 0, "model_bytes"], 1.5),
            r"`rows\[0\]\.model_bytes` must be a whole number or null",
        ),
        (change(["rows", 0, "model_bytes"], 0), "`model_bytes` must be a positive number"),
        (change(["rows", 0, "latency_ms"], float("nan")), "`latency_ms` must be a positive"),
        (change(["rows", 0, "latency_ms"], 10**400), "int too large"),
        (change(["rows", 0, "bleu"], 101), "`bleu` must be between 0 and 100"),
        (change(["rows", 0, "bleu_low"], None), "go together"),
        (change(["rows", 0, "bleu_low"], 50), "must not exceed"),
        (change(["rows", 0, "system"], " "), "`system` must not be blank"),
        (change(["rows"], {}), "`rows` must be a list"),
        (change(["examples", 0], 1), r"`examples\[0\]` must be a mapping"),
        (
            change(["examples", 0, "translations", "teacher"], 1),
            "translations.teacher` must be text",
        ),
        (change(["history", 0, "step"], -1), "`step` must be a count"),
        (change(["created"], "yesterday"), "`created` must be an ISO 8601 date"),
        (change(["machine", "cores"], [4]), r"`machine\.cores` must be"),
        (lambda content: content.pop("corpus"), "missing key `corpus`"),
    ],
)
def test_content_is_checked(tmp_path, apply, message):
    content = to_mapping(make_run(make_teacher(), make_row()))
    apply(content)
    (tmp_path / "results.json").write_text(json.dumps(content))
    with pytest.raises(
        InputError, match=rf"must hold a run's results\. .*results\.json.*{message}"
    ):
        load_results(tmp_path)


def test_results_must_be_a_mapping(tmp_path):
    (tmp_path / "results.json").write_text("[]")
    with pytest.raises(InputError, match="must be a mapping"):
        load_results(tmp_path)


def test_impossible_figures_are_refused():
    with pytest.raises(InputError, match="system 'x': `beam_size` must be a positive number"):
        Row(system="x", beam_size=0)


def test_losses_that_are_no_numbers_count_as_not_measured():
    point = HistoryPoint(step=1, loss=float("nan"), validation_loss=float("inf"))
    assert (point.loss, point.validation_loss) == (None, None)
