"""`tfcompress run`, and what commands take beside bundles."""

import json
import shutil
import tarfile

import pytest
from flavours import one_flavour

from tfcompress.commands import main
from tfcompress.pipeline.run_folders import run_status
from tfcompress.pipeline.workspace import Workspace

pytestmark = one_flavour


@pytest.fixture
def run(finished_run, tmp_path):
    return shutil.copytree(finished_run, tmp_path / "runs" / "run")


def output(capsys, *arguments):
    assert main([*map(str, arguments)]) == 0
    return capsys.readouterr().out


def error(capsys, *arguments):
    assert main([*map(str, arguments)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err.splitlines()[-1]


def test_status(run, capsys):
    status = json.loads(output(capsys, "run", "status", run, "--json"))
    assert (status["update"], status["updates"], status["running"]) == (4, 4, None)
    assert len(status["stages"]) == 8
    assert set(status["stages"].values()) == {"done"}
    (run / "bundles" / "float32" / "model.tflite").write_bytes(b"TFL3")
    (run / "model" / "config.json").unlink()
    with Workspace(run):
        text = output(capsys, "run", "status", run)
    assert "bundles/float32/model.tflite is truncated" in text
    assert "model/config.json is missing" in text
    assert "running, process " in text


def test_what_depends_on_something_newer_is_outdated(run):
    with Workspace(run) as workspace:
        workspace.record.stages["model"]["content"] = "another"
        workspace.record.write()
    stages = run_status(run).stages
    assert stages["bundles/float32"] == "outdated"
    assert stages["model"] == "done"


def test_list(run, capsys):
    broken = shutil.copytree(run, run.parent / "broken")
    for name in ("run.json", "run.copy.json"):
        (broken / name).write_text("{")
    lines = output(capsys, "run", "list", run.parent).splitlines()
    assert len(lines) == 2
    assert "run.json is corrupt" in lines[0]
    assert lines[1] == f"{run}: tiny, update 4 of 4, 8 of 8 stages done"
    assert "must exist" in error(capsys, "run", "list", run / "none")


def test_remove(run, capsys):
    (run / "notes.txt").write_text("precious")
    with Workspace(run):
        assert "Another process works here" in error(capsys, "run", "rm", run)
    output(capsys, "run", "rm", run, "--stage", "evaluation")
    status = run_status(run).stages
    assert [name for name, state in status.items() if state != "done"] == [
        "evaluation/float32.json",
        "evaluation/dynamic_int8.json",
    ]
    assert "notes.txt stay" in output(capsys, "run", "rm", run)
    assert [path.name for path in run.iterdir()] == ["notes.txt"]
    assert "There is no run" in error(capsys, "run", "rm", run)


def test_a_removed_training_can_be_another(run, capsys):
    output(capsys, "run", "rm", run, "--stage", "training")
    with Workspace(run) as workspace:
        assert not workspace.has_training
        assert workspace.check_training({"other": 1}, 2) == {"other": 1}


def test_export(run, capsys, tmp_path):
    archive = tmp_path / "run.tar.gz"
    output(capsys, "run", "export", run, archive)
    with tarfile.open(archive) as file:
        file.extractall(tmp_path / "there", filter="data")
    copy = tmp_path / "there" / "run"
    assert set(run_status(copy).stages.values()) == {"done"}
    assert [path.name for path in (copy / "training").iterdir()] == ["history.json"]
    assert not (copy / ".lock").exists()
    assert "exists already" in error(capsys, "run", "export", run, archive)
    (run / "evaluation" / "float32.json").write_text("{}")
    line = error(capsys, "run", "export", run, tmp_path / "another.tar.gz")
    assert "float32.json is truncated" in line
    assert not (tmp_path / "another.tar.gz").exists()


def test_describe_takes_all(run, capsys):
    targets = (run, run / "model", run / "bundles" / "dynamic_int8")
    counts = [
        json.loads(output(capsys, "describe", target, "--json"))["parameters"] for target in targets
    ]
    assert counts[0] == counts[1] == counts[2]
    assert "none of them" in error(capsys, "evaluate", run / "evaluation")


def test_evaluate_and_benchmark_take_runs(run, corpus_folder, capsys):
    files = ["--source", corpus_folder / "test.en", "--reference", corpus_folder / "test.de"]
    options = ["evaluate", run, *files, "--beam-size", 1]
    metrics = json.loads(output(capsys, *options, "--json"))
    assert {"float32", "dynamic_int8"} < set(metrics)
    lines = output(capsys, *options, "--quantization", "float32").splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("BLEU ")
    assert "float32, dynamic_int8" in error(capsys, *options, "--quantization", "int4")
    options = ["benchmark", run, "--input", corpus_folder / "test.en", "--runs", 1, "--json"]
    metrics = json.loads(output(capsys, *options))
    assert [row["texts"] for row in metrics.values()] == [12, 12]


def test_a_preset_without_tokenizers_is_not_evaluated(corpus_folder, capsys):
    files = ["--source", corpus_folder / "test.en", "--reference", corpus_folder / "test.de"]
    assert "Texts need a tokenizer" in error(capsys, "evaluate", "transformer_tiny", *files)


@pytest.mark.slow
def test_models_and_presets_are_exported_for_the_time_being(run, corpus_folder, capsys):
    files = ["--source", corpus_folder / "test.en", "--reference", corpus_folder / "test.de"]
    one = output(capsys, "evaluate", run / "model", *files)
    assert one == output(capsys, "evaluate", run, *files, "--quantization", "float32")
    arguments = ["benchmark", "transformer_tiny", "--input", corpus_folder / "test.en"]
    assert main([*map(str, arguments), "--runs", "1", "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["bundle"] == "transformer_tiny"
    assert "those of the bundle are random" in captured.err
    assert "has no tokenizer" in captured.err
