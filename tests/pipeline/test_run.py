import copy
import json
import os
import shutil

import pytest
from flavours import one_flavour

from tfcompress.digests import digest
from tfcompress.errors import InputError
from tfcompress.pipeline import benchmarking, load_recipe, run, run_recipe
from tfcompress.pipeline.identity import model_digest
from tfcompress.pipeline.recipe_files import recipe_from_mapping
from tfcompress.pipeline.record import RunRecord
from tfcompress.pipeline.workspace import Workspace
from tfcompress.reporting import load_results


def test_every_stage_leaves_its_files(finished_run):
    for name in (
        "run.json",
        "tokenizer.model",
        "training/history.json",
        "model/config.json",
        "bundles/float32/manifest.json",
        "bundles/dynamic_int8/model.tflite",
        "evaluation/float32.json",
        "benchmark/dynamic_int8.json",
        "results.json",
        "report.md",
        "report.html",
    ):
        assert (finished_run / name).is_file(), name


def test_results(finished_run):
    results = load_results(finished_run)
    assert [row.quantization for row in results.rows] == ["float32", "dynamic_int8"]
    float32, int8 = results.rows
    assert float32.parameters == int8.parameters
    assert int8.model_bytes < float32.model_bytes
    assert all(row.sentences == 12 and row.beam_size == 2 for row in results.rows)
    assert all(row.latency_ms > 0 and row.peak_rss_bytes > 0 for row in results.rows)
    assert len(results.examples) == 2
    assert [point.step for point in results.history] == [2, 4]


def test_a_finished_run_is_only_reported(finished_run, corpus_folder, recipe_path, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(finished_run, copy)
    before = {p: p.stat().st_mtime_ns for p in copy.rglob("*") if p.is_file()}
    said = []
    run_recipe(load_recipe(recipe_path), copy, corpus=corpus_folder, verbose=0, log=said.append)
    assert said == ["tiny: reading the corpus"]
    changed = {p.name for p, time in before.items() if p.stat().st_mtime_ns != time}
    assert changed == {"results.json", "report.md", "report.html"}


def test_where_figures_come_from_stays(
    finished_run, corpus_folder, recipe_path, tmp_path, monkeypatch
):
    def again(folder):
        recipe = load_recipe(recipe_path)
        run_recipe(recipe, folder, corpus=corpus_folder, verbose=0, log=lambda line: None)
        return load_results(folder)

    copy = tmp_path / "copy"
    shutil.copytree(finished_run, copy)
    timing = json.loads((copy / "benchmark" / "float32.json").read_text())
    former = load_results(copy)
    assert former.created == timing["measured"]["created"]
    assert former.versions == timing["measured"]["versions"]
    assert "load average" in former.load
    monkeypatch.setattr("tfcompress.reporting.provenance.versions", lambda: {"tfcompress": "9"})
    monkeypatch.setattr("tfcompress.reporting.provenance.describe_machine", lambda: {"cpu": "Z80"})
    monkeypatch.setattr("sys.argv", ["another", "command"])
    assert again(copy) == former
    assert former.load in (copy / "report.html").read_text()
    # What is timed again is timed together, and says so.
    (copy / "benchmark" / "float32.json").unlink()
    results = again(copy)
    assert (results.versions, results.machine) == ({"tfcompress": "9"}, {"cpu": "Z80"})
    assert results.command == "another command"
    timings = [json.loads(path.read_text()) for path in (copy / "benchmark").iterdir()]
    assert timings[0]["measured"] == timings[1]["measured"]


def test_bundles_are_timed_in_turns(finished_run, monkeypatch):
    bundles = [finished_run / "bundles" / name for name in ("float32", "dynamic_int8")]
    turns, turn = [], benchmarking._Program.turn

    def noted(self):
        turns.append(programs.setdefault(id(self), len(programs)))
        return turn(self)

    programs = {}
    monkeypatch.setattr(benchmarking._Program, "turn", noted)
    figures = benchmarking.benchmark_in_turns(
        bundles, ["We are lost.", "I need a room."], num_threads=1, runs=2
    )
    # Two passes to warm up and two that count; before them the start, after them the end.
    assert turns == [0, 1] * 6
    assert [row["bundle"] for row in figures] == [str(bundle) for bundle in bundles]
    assert all(row["latency_ms"]["mean"] > 0 for row in figures)
    with pytest.raises(InputError, match="There must be texts"):
        benchmarking.benchmark_in_turns(bundles, [" "], num_threads=1, runs=1)


@one_flavour
def test_lost_stages_are_made_again(finished_run, corpus_folder, recipe_path, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(finished_run, copy)
    shutil.rmtree(copy / "bundles" / "dynamic_int8")
    former = json.loads((copy / "evaluation" / "dynamic_int8.json").read_text())
    (copy / "evaluation" / "dynamic_int8.json").unlink()
    said = []
    run_recipe(load_recipe(recipe_path), copy, corpus=corpus_folder, verbose=0, log=said.append)
    assert said[1:] == [
        "tiny: bundles/dynamic_int8/manifest.json is missing: bundles/dynamic_int8 is made again",
        "tiny: exporting dynamic_int8",
        "tiny: evaluation/dynamic_int8.json is missing: evaluation/dynamic_int8.json is made again",
        "tiny: evaluating dynamic_int8 on 12 sentences",
    ]
    again = json.loads((copy / "evaluation" / "dynamic_int8.json").read_text())
    assert again["translations"] == former["translations"]
    assert {*again["measured"]} == {"created", "command", "machine", "versions"}


def rerun(folder, mapping, corpus_path, said=None, **changes):
    """Runs a changed recipe and returns what was said after reading the corpus."""
    mapping = copy.deepcopy(mapping)
    for key, value in changes.items():
        mapping[key] = mapping.get(key, {}) | value if isinstance(value, dict) else value
    said = [] if said is None else said
    run_recipe(recipe_from_mapping(mapping), folder, corpus=corpus_path, verbose=0, log=said.append)
    return [line.partition(": ")[2] for line in said[1:]]


@pytest.fixture
def run_copy(finished_run, tmp_path):
    return shutil.copytree(finished_run, tmp_path / "run")


EVALUATIONS = [f"evaluating {name} on 12 sentences" for name in ("float32", "dynamic_int8")]
TIMING = "timing float32, dynamic_int8 on 3 sentences"


@one_flavour
@pytest.mark.parametrize(
    ("changes", "stages"),
    [
        ({"name": "another"}, []),
        ({"quantizations": ["dynamic_int8"]}, []),
        ({"evaluation": {"examples": 1}}, []),
        ({"evaluation": {"beam_size": 1}}, EVALUATIONS),
        ({"evaluation": {"tokenize": "char"}}, EVALUATIONS),
        ({"benchmark": {"runs": 2}}, [TIMING]),
    ],
    ids=str,
)
def test_only_what_depends_on_a_change_is_done_again(
    run_copy, recipe_mapping, corpus_folder, changes, stages
):
    assert rerun(run_copy, recipe_mapping, corpus_folder, **changes) == stages
    assert rerun(run_copy, recipe_mapping, corpus_folder, **changes) == []


@one_flavour
@pytest.mark.slow
def test_bundles_of_another_format_are_made_again(
    run_copy, recipe_mapping, corpus_folder, monkeypatch
):
    monkeypatch.setattr(run, "FORMAT", 0)
    said = rerun(run_copy, recipe_mapping, corpus_folder)
    assert said == ["exporting float32", "exporting dynamic_int8"]


@pytest.mark.slow
@one_flavour
def test_a_further_bundle_or_test_set(run_copy, recipe_mapping, corpus_folder, tmp_path):
    names = ["float32", "dynamic_int8", "float16"]
    assert rerun(run_copy, recipe_mapping, corpus_folder, quantizations=names) == [
        "exporting float16",
        "evaluating float16 on 12 sentences",
        "timing float32, dynamic_int8, float16 on 3 sentences",
    ]
    other = shutil.copytree(corpus_folder, tmp_path / "corpus")
    for language in ("en", "de"):
        lines = (other / f"valid.{language}").read_text().splitlines()[:9]
        (other / f"news.{language}").write_text("\n".join(lines) + "\n")
    assert rerun(run_copy, recipe_mapping, other, corpus={"test": "news"}) == [
        "evaluating float32 on 9 sentences",
        "evaluating dynamic_int8 on 9 sentences",
        TIMING,
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"learning_rate": 0.5}, r"another training.*differs in training\.learning_rate\. Give"),
        ({"updates": 2}, r"`training\.updates` must be at least.*Received: 2, where .* has 4\."),
        ({"schedule": "cosine", "warmup": 1}, r"training\.schedule"),
    ],
    ids=str,
)
def test_another_training_is_refused(run_copy, recipe_mapping, corpus_folder, changes, message):
    before = {path: path.read_bytes() for path in run_copy.rglob("*") if path.is_file()}
    with pytest.raises(InputError, match=message):
        rerun(run_copy, recipe_mapping, corpus_folder, training=changes)
    after = {path: path.read_bytes() for path in run_copy.rglob("*") if path.is_file()}
    assert after == before


@pytest.mark.slow
@one_flavour
def test_a_longer_training_is_extended(
    finished_run, recipe_mapping, corpus_folder, tmp_path, monkeypatch
):
    monkeypatch.setenv("TF_USE_LEGACY_KERAS", "1")
    folders = [tmp_path / name for name in ("extended", "whole")]
    for folder, updates in zip((folders[0], *folders), (4, 8, 8)):
        said = rerun(folder, recipe_mapping, corpus_folder, training={"updates": updates})
    assert model_digest(folders[0] / "model") == model_digest(folders[1] / "model")
    assert [point.step for point in load_results(folders[0]).history] == [2, 4, 6, 8]
    said = rerun(folders[0], recipe_mapping, corpus_folder, training={"updates": 8})
    assert said == []
    said = rerun(folders[0], recipe_mapping, corpus_folder, training={"updates": 10})
    assert said[1].startswith("training from update 8 of 10; TensorBoard reads ")


def test_a_run_from_before_a_key_existed_goes_on(run_copy, recipe_mapping, corpus_folder):
    record = RunRecord(run_copy)
    training = record.stages["training"]["needs"]
    former = digest(training)
    del training["training"]["clip_norm"]
    for stage in record.stages.values():
        if stage["needs"].get("training") == former:
            stage["needs"]["training"] = digest(training)
        elif "model" in stage["needs"] and "corpus" in stage["needs"]:
            stage["needs"] = training
    record.write()
    assert rerun(run_copy, recipe_mapping, corpus_folder) == []
    with pytest.raises(InputError, match=r"differs in training\.clip_norm"):
        rerun(run_copy, recipe_mapping, corpus_folder, training={"clip_norm": 1.0})


def test_a_folder_of_another_corpus_is_refused(run_copy, corpus_folder, recipe_mapping, tmp_path):
    other = shutil.copytree(corpus_folder, tmp_path / "corpus")
    lines = (other / "train.en").read_text(encoding="utf-8").splitlines()
    (other / "train.en").write_text("\n".join(["Changed.", *lines[1:]]) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="no longer what this run began with"):
        rerun(run_copy, recipe_mapping, other)


def test_a_folder_with_other_files_is_refused(corpus_folder, recipe_path, tmp_path):
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(InputError, match=r"needs a folder of its own.*which has other content"):
        run_recipe(load_recipe(recipe_path), tmp_path, corpus=corpus_folder)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_missing_corpus(recipe_path, tmp_path):
    with pytest.raises(InputError, match="Give --corpus"):
        run_recipe(load_recipe(recipe_path), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_corrupt_record_has_a_copy(run_copy, corpus_folder, recipe_mapping):
    (run_copy / "run.json").write_text("{")
    assert rerun(run_copy, recipe_mapping, corpus_folder) == []
    for name in ("run.json", "run.copy.json"):
        content = (run_copy / name).read_text()
        (run_copy / name).write_text(content.replace('"updates": 4', '"updates": 5', 1))
    with pytest.raises(InputError, match=r"run\.json is corrupt and run\.copy\.json is corrupt"):
        rerun(run_copy, recipe_mapping, corpus_folder)


def test_a_folder_is_for_one_process(run_copy, corpus_folder, recipe_mapping):
    with Workspace(run_copy), pytest.raises(InputError, match=rf"process {os.getpid()} on ") as e:
        rerun(run_copy, recipe_mapping, corpus_folder)
    assert str(run_copy) in str(e.value)
    assert rerun(run_copy, recipe_mapping, corpus_folder) == []


def test_leftovers_of_killed_processes_are_removed(run_copy, corpus_folder, recipe_mapping):
    leftovers = [".model.abc_1234/new", "bundles/.float32.abcdefgh", "training/state/.x.12345678"]
    for name in leftovers:
        (run_copy / name).mkdir(parents=True)
    (run_copy / ".gitignore").touch()
    rerun(run_copy, recipe_mapping, corpus_folder)
    assert not any((run_copy / name).exists() for name in leftovers)
    assert (run_copy / ".gitignore").exists()
