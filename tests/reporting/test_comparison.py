import pytest
from report_samples import make_row, make_run, make_teacher

from tfcompress.errors import InputError
from tfcompress.reporting.comparison import group_runs
from tfcompress.reporting.summary import best_entry, summary


def entries(*rows):
    (group,) = group_runs([make_run(*rows)])
    return group.entries


def test_first_float32_row_is_the_baseline():
    half = make_row("teacher", "float16", model_bytes=70_105_704, bleu=38.3)
    teacher, second = make_teacher(), make_row("other", "float32", model_bytes=35_052_852)
    (group,) = group_runs([make_run(half, teacher, second)])
    assert group.baseline.row is teacher
    assert [entry.times_smaller for entry in group.entries] == [2, 1, 4]
    assert [entry.score_change for entry in group.entries] == pytest.approx([-0.01, 0, -0.41])


def test_without_float32_nothing_is_compared():
    (entry,) = entries(make_row())
    assert (entry.times_smaller, entry.score_change, entry.baseline) == (None, None, None)


@pytest.mark.parametrize("other", [{"signature": "nrefs:1|tok:none"}, {"sentences": 500}])
def test_bleu_is_compared_only_if_computed_alike(other):
    _, alike, unlike = entries(make_teacher(), make_row(), make_row(**other))
    assert alike.score_change is not None
    assert unlike.score_change is None
    assert unlike.times_smaller is not None


def test_corpora_are_kept_apart():
    groups = group_runs(
        [
            make_run(make_teacher(), name="a", corpus="x"),
            make_run(make_row(), name="b", corpus="y"),
            make_run(make_row(), name="c", corpus="x"),
        ]
    )
    assert [[entry.run for entry in group.entries] for group in groups] == [["a", "c"], ["b"]]
    assert groups[0].entries[1].score_change is not None
    assert groups[1].entries[0].score_change is None


def test_no_runs_are_an_error():
    with pytest.raises(InputError, match="There must be runs"):
        group_runs([])


def test_labels_say_what_differs_and_no_more():
    labels = [
        (entry.label, entry.short_label)
        for entry in entries(
            make_teacher(),
            make_row(quantization="float32", beam_size=4),
            make_row(quantization="float32", beam_size=1),
            make_row(quantization="int4", beam_size=1),
            make_row("x", threads=1),
            make_row("x", threads=2),
            make_row("same"),
            make_row("same"),
        )
    ]
    assert labels == [
        ("teacher", "teacher"),
        ("student (float32, beam 4)", "student (beam 4)"),
        ("student (float32, beam 1)", "student (beam 1)"),
        ("student (int4)", "student"),
        ("x (1 thread)", "x (1 thread)"),
        ("x (2 threads)", "x (2 threads)"),
        ("same (no. 1)", "same (no. 1)"),
        ("same (no. 2)", "same (no. 2)"),
    ]


def test_labels_name_the_run_where_needed():
    (group,) = group_runs([make_run(make_row(), name="a"), make_run(make_row(), name="b")])
    assert [entry.label for entry in group.entries] == ["student (a)", "student (b)"]


def best(*rows):
    (group,) = group_runs([make_run(*rows)])
    entry = best_entry(group)
    return entry and entry.label, summary(group)


def test_best_is_the_smallest_that_keeps_quality():
    worse = make_row("tiny", "int4", model_bytes=4_000_000, bleu=35.0)
    unknown = make_row("unscored", "int4", model_bytes=3_000_000, bleu=None)
    name, text = best(make_teacher(), make_row(), worse, unknown)
    assert name == "student"
    assert text == (
        "student: 8.30 MB, 16.9x smaller than the baseline's 140 MB, BLEU 37.90 [36.8, 39.0] "
        "(-0.41), 9.1 ms a sentence. It is the smallest system that loses at most 1 BLEU against "
        "teacher."
    )


@pytest.mark.parametrize("other", [{"bleu": 37.3}, {"model_bytes": 150_000_000}])
def test_no_system_is_praised_that_is_worse_or_larger(other):
    name, text = best(make_teacher(), make_row(**other))
    assert name is None
    assert text.startswith("No other system is smaller than teacher and loses at most 1 BLEU")


def test_summaries_of_little():
    assert best()[1] == "No system was measured."
    nothing = dict.fromkeys(["model_bytes", "bleu", "bleu_low", "bleu_high", "latency_ms"])
    assert best(make_row(**nothing))[1] == "student: nothing measured."
    two = [make_row("a", model_bytes=None), make_row("b", model_bytes=None)]
    assert best(*two)[1] == "2 systems, none with a known size."
    name, text = best(make_row("a", model_bytes=10**6), make_row("b", model_bytes=10**7))
    assert (name, text.split(". ")[-1]) == ("a", "It is the smallest system.")


def test_what_is_of_no_use_is_not_praised():
    useless = {"bleu": 0.8, "bleu_low": 0.5, "bleu_high": 1.1}
    name, text = best(make_teacher(**useless), make_row(**useless))
    assert name is None
    assert text.startswith("2 systems, the best of BLEU 0.80. Translations below BLEU 10 can")
    name, text = best(make_row(**useless))
    assert name is None
    assert text.endswith("can hardly be understood: train longer or on more data.")
    bad = make_row("bad", "int4", model_bytes=10**6, bleu=9.9, bleu_low=9.0, bleu_high=11.0)
    assert best(make_teacher(bleu=10.5), make_row(bleu=10.4), bad)[0] == "student"
