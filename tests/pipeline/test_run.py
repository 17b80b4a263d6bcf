import dataclasses
import json
import shutil

import pytest

from tfcompress.errors import InputError
from tfcompress.pipeline import benchmarking, load_recipe, run_recipe
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
    assert said == []
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
    # Runs from before benchmarks kept it have it in their results alone.
    for path in (copy / "benchmark").iterdir():
        figures = json.loads(path.read_text())
        for name in ("measured", "load_average", "processors"):
            del figures[name]
        path.write_text(json.dumps(figures))
    assert again(copy) == dataclasses.replace(former, load="")
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


def test_lost_stages_are_made_again(finished_run, corpus_folder, recipe_path, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(finished_run, copy)
    shutil.rmtree(copy / "bundles" / "dynamic_int8")
    former = json.loads((copy / "evaluation" / "dynamic_int8.json").read_text())
    (copy / "evaluation" / "dynamic_int8.json").unlink()
    said = []
    run_recipe(load_recipe(recipe_path), copy, corpus=corpus_folder, verbose=0, log=said.append)
    assert [line.split(": ")[1].split()[0] for line in said] == ["exporting", "evaluating"]
    again = json.loads((copy / "evaluation" / "dynamic_int8.json").read_text())
    assert again["translations"] == former["translations"]
    assert {*again["measured"]} == {"created", "command", "machine", "versions"}


def test_a_folder_of_another_recipe_is_refused(
    finished_run, corpus_folder, recipe_mapping, tmp_path
):
    import yaml

    mapping = recipe_mapping | {"training": recipe_mapping["training"] | {"updates": 6}}
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(mapping), encoding="utf-8")
    with pytest.raises(InputError, match=r"another recipe.*training\.updates.*give another --run"):
        run_recipe(load_recipe(path), finished_run, corpus=corpus_folder)


def test_a_run_from_before_a_key_existed_goes_on(
    finished_run, corpus_folder, recipe_path, tmp_path
):
    copy = tmp_path / "run"
    shutil.copytree(finished_run, copy)
    identity = json.loads((copy / "run.json").read_text())
    del identity["recipe"]["quantization_scheme"], identity["recipe"]["training"]["clip_norm"]
    (copy / "run.json").write_text(json.dumps(identity))
    results = run_recipe(load_recipe(recipe_path), copy, corpus=corpus_folder)
    assert [row.quantization for row in results.rows] == ["float32", "dynamic_int8"]


def test_a_folder_of_another_corpus_is_refused(finished_run, corpus_folder, recipe_path, tmp_path):
    other = tmp_path / "corpus"
    shutil.copytree(corpus_folder, other)
    lines = (other / "train.en").read_text(encoding="utf-8").splitlines()
    (other / "train.en").write_text("\n".join(["Changed.", *lines[1:]]) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="another corpus"):
        run_recipe(load_recipe(recipe_path), finished_run, corpus=other)


def test_a_folder_with_other_files_is_refused(corpus_folder, recipe_path, tmp_path):
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(InputError, match="not empty and not a run's folder"):
        run_recipe(load_recipe(recipe_path), tmp_path, corpus=corpus_folder)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_missing_corpus(recipe_path, tmp_path):
    with pytest.raises(InputError, match="give --corpus"):
        run_recipe(load_recipe(recipe_path), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_damaged_identity(finished_run, corpus_folder, recipe_path, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(finished_run, copy)
    (copy / "run.json").write_text("{")
    with pytest.raises(InputError, match=r"run\.json: damaged"):
        run_recipe(load_recipe(recipe_path), copy, corpus=corpus_folder)
