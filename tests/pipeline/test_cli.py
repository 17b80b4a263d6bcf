"""The command line, in process and as a program."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from flavours import one_flavour

from tfcompress.commands import main

# The command line chooses Keras 2 by itself.
pytestmark = one_flavour


@pytest.fixture
def bundle(finished_run):
    return str(finished_run / "bundles" / "dynamic_int8")


def run_json(capsys, *arguments):
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def run_bad(capsys, *arguments):
    """Runs a command that must fail for the user's mistake; returns its one line."""
    assert main(list(arguments)) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    line = captured.err.splitlines()[-1]
    assert line.startswith("error: ")
    assert "Traceback" not in captured.err
    return line


def test_describe(capsys):
    figures = run_json(capsys, "describe", "big_shared_e128")
    assert set(figures) == {"name", "parameters", "multiply_adds", "bytes", "num_layers"}
    assert round(figures["parameters"]["weights_only"] / 1e6) == 40
    assert main(["describe", "big_shared_e128"]) == 0
    assert "encoder" in capsys.readouterr().out


def test_describe_lists_presets(capsys):
    assert "transformer_big" in run_json(capsys, "describe")
    assert main(["describe"]) == 0
    assert "transformer_big" in capsys.readouterr().out


def test_describe_unknown_name(capsys):
    assert "Did you mean `transformer_big`" in run_bad(capsys, "describe", "transformer_bigg")


def test_translate(capsys, monkeypatch, bundle):
    text = io.TextIOWrapper(io.BytesIO(b"I need a room.\n\nWe are lost.\n"))
    monkeypatch.setattr(sys, "stdin", text)
    assert main(["translate", bundle]) == 0
    lines = capsys.readouterr().out.split("\n")
    assert len(lines) == 4
    assert lines[1] == ""


def test_translate_json_n_best(capsys, monkeypatch, bundle):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"I need a room.\n")))
    assert main(["translate", bundle, "--json", "--beam-size", "3", "--n-best", "2"]) == 0
    line = json.loads(capsys.readouterr().out)
    scores = [found["score"] for found in line["translations"]]
    assert len(scores) == 2
    assert scores == sorted(scores, reverse=True)
    for one in line["translations"]:
        assert 0 < one["quality"] <= 1
        assert len(one["tokens"]) == len(one["token_scores"])
        assert one["tokens"][-1] == "</s>"


def test_translate_with_a_prefix_and_banned_words(capsys, monkeypatch, bundle):
    source = "I need a room.\n"
    (free,), _ = translated(capsys, monkeypatch, source, bundle)
    word = free.split()[-1].strip(".?!")
    options = ["--target-prefix", "Wir", "--banned-words", word, "room"]
    (line,), _ = translated(capsys, monkeypatch, source, bundle, *options)
    assert line.startswith("Wir")
    assert word not in line.split()
    with pytest.raises(SystemExit):
        main(["translate", bundle, "--banned-words"])
    capsys.readouterr()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(source.encode())))
    assert "none of `banned_words`" in run_bad(
        capsys, "translate", bundle, "--target-prefix", "Wir", "--banned-words", "Wir"
    )


def translated(capsys, monkeypatch, text, *arguments):
    """The lines of the output, and the errors."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert main(["translate", *arguments]) == 0
    captured = capsys.readouterr()
    *lines, rest = captured.out.split("\n")
    assert rest == ""
    return lines, captured.err


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-16"])
def test_output_is_utf_8(monkeypatch, bundle, encoding):
    """As input is, whatever the locale says."""
    streams = {name: io.TextIOWrapper(io.BytesIO(), encoding) for name in ("stdout", "stderr")}
    for name, stream in streams.items():
        monkeypatch.setattr(sys, name, stream)
    source = "\u2713 \U0001f600"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(source.encode())))
    assert main(["translate", bundle, "--json"]) == 0
    written = streams["stdout"].buffer.getvalue().decode()
    assert json.loads(written)["source"] == source
    # A file's name may be no text.
    assert main(["describe", f"{source} \udcff"]) == 2
    streams["stderr"].flush()
    assert f"{source} \\udcff" in streams["stderr"].buffer.getvalue().decode()


BLANK = ["", "\t", "\u00a0", "\u3000", "\u200b", "\u2028", "\x85\x0b\x0c"]


def test_translate_blank_lines(capsys, monkeypatch, bundle):
    lines, errors = translated(capsys, monkeypatch, "\n".join([*BLANK, ""]), bundle)
    assert lines == [""] * len(BLANK)
    assert errors == ""
    lines, _ = translated(capsys, monkeypatch, "\ufeff", bundle)
    assert lines == [""]


def test_translate_n_best_stays_aligned(capsys, monkeypatch, bundle):
    text = "I need a room.\n\nWe are lost.\n\u3000\nI need a room.\n"
    lines, _ = translated(capsys, monkeypatch, text, bundle, "--beam-size", "3", "--n-best", "3")
    assert len(lines) == 15
    assert lines[3:6] == lines[9:12] == ["", "", ""]
    assert lines[:3] == lines[12:]


def test_translate_byte_order_mark_and_line_ends(capsys, monkeypatch, bundle):
    first, second = "I need a room.", "We\u2028are\x85lost.\x0b"
    expected, _ = translated(capsys, monkeypatch, f"{first}\n{second}\n", bundle)
    assert len(expected) == 2
    found, _ = translated(capsys, monkeypatch, f"\ufeff{first}\r\n{second}", bundle)
    assert found == expected


def test_translate_overlong_lines(capsys, monkeypatch, bundle):
    short, long = "I need a room.", "I need a room. We are lost. " * 9
    lines, errors = translated(capsys, monkeypatch, f"{short}\n\n{long}\n{short}\n", bundle)
    assert len(lines) == 4
    assert lines[0] == lines[3]
    assert errors == "line 3: beyond the limit of 48 tokens; translated in 18 parts\n"
    text = io.TextIOWrapper(io.BytesIO(f"{short}\n\n{long}\n{short}\n".encode()))
    monkeypatch.setattr(sys, "stdin", text)
    assert main(["translate", bundle, "--overlong", "error"]) == 2
    captured = capsys.readouterr()
    assert captured.out == f"{lines[0]}\n\n"
    assert captured.err.startswith("error: standard input, line 3: A text must fit ")
    assert "limit=48" in captured.err


def test_translate_invalid_text(capsys, monkeypatch, bundle):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff\n")))
    assert "line 1 of standard input" in run_bad(capsys, "translate", bundle)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (["--beam-size", "1000000"], "`beam_size` must be a whole number from 1 to 1,000"),
        (["--beam-size", "0"], "Received: beam_size=0"),
        (
            ["--n-best", "2"],
            "`n_best` must be at most `beam_size`. Received: n_best=2, beam_size=1",
        ),
        (
            ["--length-penalty", "nan"],
            "must be a number from -10 to 10. Received: length_penalty=nan",
        ),
        (["--length-penalty", "inf"], "length_penalty=inf"),
        (
            ["--threads", "100000"],
            "must be a whole number from 1 to 1,024. Received: num_threads=100000",
        ),
    ],
)
def test_options_are_refused_before_the_bundle_opens(capsys, option, message):
    assert message in run_bad(capsys, "translate", "no-such-bundle", *option)


@pytest.mark.parametrize("option", [["--beam-size", "5000"], ["--length-penalty", "nan"]])
def test_evaluate_refuses_options_first(capsys, corpus_folder, bundle, option):
    files = ["--source", str(corpus_folder / "test.en")]
    files += ["--reference", str(corpus_folder / "test.de")]
    assert " must be a " in run_bad(capsys, "evaluate", bundle, *files, *option)


def test_evaluate(capsys, corpus_folder, bundle):
    files = [
        "--source", str(corpus_folder / "test.en"), "--reference", str(corpus_folder / "test.de"),
    ]  # fmt: skip
    options = ["--beam-size", "2", "--length-penalty", "0.5"]
    figures = run_json(capsys, "evaluate", bundle, *files, *options)
    assert set(figures) == {
        "bleu", "interval", "signature", "examples", "beam_size", "length_penalty", "overlong",
        "created", "command", "machine", "versions",
    }  # fmt: skip
    assert figures["length_penalty"] == 0.5
    assert figures["machine"]["cores"] >= 1
    assert "sacrebleu" in figures["versions"]
    low, high = figures["interval"]
    assert 0 <= low <= figures["bleu"] <= high + 1e-9
    assert figures["examples"] == 12
    assert figures["beam_size"] == 2


def test_evaluate_says_what_it_splits(capsys, bundle, tmp_path):
    (tmp_path / "source").write_text("we go .\n" + "we go home . " * 20 + "\nwe go .\n")
    (tmp_path / "reference").write_text("wir gehen .\n" * 3)
    files = ["--source", tmp_path / "source", "--reference", tmp_path / "reference"]
    options = ["evaluate", bundle, *files, "--beam-size", "1", "--json"]
    assert main([*map(str, options)]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["overlong"] == [2]
    assert said.err.startswith("warning: 1 of 3 sentences are translated in parts")
    assert "(examples 2)" in said.err


def test_evaluate_unequal_files(capsys, corpus_folder, bundle):
    files = ["--source", str(corpus_folder / "test.en")]
    files += ["--reference", str(corpus_folder / "valid.de")]
    assert "Received: 12 and 20." in run_bad(capsys, "evaluate", bundle, *files)


def test_benchmark(capsys, corpus_folder, bundle):
    figures = run_json(
        capsys, "benchmark", bundle, "--input", str(corpus_folder / "test.en"), "--runs", "1"
    )
    assert set(figures) == {
        "bundle", "device", "runtime", "threads", "beam_size", "texts", "overlong",
        "source_tokens", "target_tokens", "init_ms", "first_text_ms", "latency_ms",
        "target_tokens_per_s", "peak_rss_bytes", "bundle_bytes", "load_average", "processors",
    }  # fmt: skip
    assert set(figures["latency_ms"]) == {"mean", "p50", "p90", "p99"}
    assert figures["texts"] == 12


def test_a_library_is_for_devices(capsys, bundle):
    line = run_bad(capsys, "benchmark", bundle, "--library", "lib.so", "--input", "/dev/null")
    assert "--library is for another --device only" in line


def test_benchmark_on_an_unknown_device(capsys, bundle):
    assert "Received: 'toaster'" in run_bad(capsys, "benchmark", bundle, "--device", "toaster")


@pytest.mark.slow
def test_export_of_a_run(capsys, finished_run, tmp_path):
    out = str(tmp_path / "bundle")
    manifest = run_json(capsys, "export", str(finished_run), out, "--quantization", "float16")
    assert manifest["quantization"] == "float16"
    assert "exists" in run_bad(capsys, "export", str(finished_run), out)
    assert main(["export", str(finished_run), out, "--force"]) == 0


def test_export_unknown_quantization(capsys, finished_run, tmp_path):
    out = tmp_path / "bundle"
    line = run_bad(capsys, "export", str(finished_run), str(out), "--quantization", "int3")
    assert "int3" in line
    assert "dynamic_int8" in line
    assert not out.exists()


def test_report(capsys, finished_run, tmp_path):
    for name in ("report.html", "report.md"):
        path = tmp_path / name
        assert main(["report", str(finished_run), "--output", str(path)]) == 0
        assert "tiny" in path.read_text(encoding="utf-8")
    assert "tiny" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["report", "no-such-run"],
        ["translate", "no-such-bundle"],
        ["export", "no-such-run", "bundle"],
        ["train", "no-such-recipe.yaml", "--run", "run"],
        ["benchmark", "no-such-bundle", "--input", "no-such-file"],
        ["evaluate", "no-such-bundle", "--source", "no-such-file", "--reference", "none"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_missing_files_are_one_line(capsys, monkeypatch, tmp_path, arguments):
    monkeypatch.chdir(tmp_path)
    assert "no-such" in run_bad(capsys, *arguments)
    assert list(tmp_path.iterdir()) == []


def test_altered_bundle(capsys, finished_run, tmp_path, monkeypatch):
    import shutil

    copy = tmp_path / "bundle"
    shutil.copytree(finished_run / "bundles" / "dynamic_int8", copy)
    data = bytearray((copy / "model.tflite").read_bytes())
    data[len(data) // 2] ^= 1
    (copy / "model.tflite").write_bytes(data)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"Hello.\n")))
    assert "SHA-256" in run_bad(capsys, "translate", str(copy))


@pytest.mark.parametrize("arguments", [[], ["--nonsense"], ["dance"], ["train"]], ids=str)
def test_wrong_command_lines(capsys, arguments):
    with pytest.raises(SystemExit) as error:
        main(arguments)
    assert error.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.slow
def test_interrupted_training_goes_on(corpus_folder, recipe_mapping, tmp_path):
    import yaml

    training = recipe_mapping["training"] | {"updates": 2000, "evaluate_every": 2}
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(yaml.safe_dump(recipe_mapping | {"training": training}), encoding="utf-8")
    run = tmp_path / "run"
    command = [sys.executable, "-m", "tfcompress", "train", str(recipe), "--quiet"]
    command += ["--corpus", str(corpus_folder), "--run", str(run)]
    history = run / "training" / "history.json"

    def train_until(evaluations):
        process = subprocess.Popen(
            command,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ,
            # What runs the tests in the background may have told them to ignore it.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and process.poll() is None:
            if history.exists() and len(json.loads(history.read_text())) >= evaluations:
                break
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=900)
        assert process.returncode == 130, errors
        assert errors.splitlines()[-1].startswith("interrupted")
        assert "Traceback" not in errors
        entries = json.loads(history.read_text())
        return [entry | {"seconds": None} for entry in entries]

    first = train_until(1)
    second = train_until(len(first) + 1)
    assert second[: len(first)] == first


def test_an_interrupt_that_became_another_error(capsys, monkeypatch):
    class Output(io.StringIO):
        def write(self, text):
            try:
                signal.raise_signal(signal.SIGINT)
            except KeyboardInterrupt:
                raise RuntimeError("scopes are not nested") from None

    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    monkeypatch.setattr(sys, "stdout", Output())
    try:
        code = main(["describe", "transformer_small"])
    finally:
        signal.signal(signal.SIGINT, former)
    assert code == 130
    assert capsys.readouterr().err.startswith("interrupted")


def test_commands_begin_without_tensorflow():
    code = "import sys, tfcompress.pipeline; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize("error", ["ResourceExhaustedError", "PermissionDeniedError"])
def test_what_tensorflow_cannot_write_is_one_line(capsys, monkeypatch, error):
    import tensorflow as tf

    from tfcompress import analysis

    def fail(*arguments, **settings):
        raise getattr(tf.errors, error)(None, None, "model.tmp; No space left on device\nmore")

    monkeypatch.setattr(analysis, "describe", fail)
    line = run_bad(capsys, "describe", "transformer_tiny")
    assert line == "error: model.tmp; No space left on device; check the disk"


def test_too_little_memory_is_one_line(capsys, monkeypatch):
    from tfcompress import analysis

    monkeypatch.setattr(analysis, "describe", lambda *a, **k: np.empty(2**55))
    assert "out of memory" in run_bad(capsys, "describe", "transformer_tiny")


@pytest.mark.slow
def test_a_checkpoint_that_cannot_be_written(corpus_folder, recipe_path, tmp_path):
    import resource

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))

    command = [sys.executable, "-m", "tfcompress", "train", str(recipe_path), "--quiet"]
    command += ["--corpus", str(corpus_folder), "--run", str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=limit)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: ")
    # With more room the same command goes on.
    assert subprocess.run(command).returncode == 0


@pytest.mark.parametrize("content", ["{}", "[]", "null", "3", '"x"', '{"kind": []}', "[" * 5000])
def test_wrong_json_in_a_run_is_one_line(capsys, finished_run, tmp_path, content):
    import shutil

    copy = tmp_path / "run"
    files = {
        "results.json": ["report", str(copy), "--output", str(tmp_path / "report.html")],
        "model/config.json": ["describe", str(copy / "model")],
        "bundles/dynamic_int8/manifest.json": ["benchmark", str(copy / "bundles/dynamic_int8")],
    }
    source = tmp_path / "source.txt"
    source.write_text("I need a room.\n")
    files["bundles/dynamic_int8/manifest.json"] += ["--input", str(source)]
    for name, command in files.items():
        shutil.copytree(finished_run, copy)
        (copy / name).write_text(content)
        assert Path(name).name in run_bad(capsys, *command)
        shutil.rmtree(copy)


def test_what_is_damaged_in_a_run_is_made_again(
    capsys, finished_run, recipe_path, corpus_folder, tmp_path
):
    import shutil

    copy = shutil.copytree(finished_run, tmp_path / "run")
    names = ("training/history.json", "evaluation/dynamic_int8.json", "benchmark/float32.json")
    for name in ("run.json", *names):
        (copy / name).write_text("{}")
    assert "is truncated" in run_bad(capsys, "run", "export", str(copy), str(tmp_path / "x.tar"))
    command = ["train", str(recipe_path), "--corpus", str(corpus_folder), "--run", str(copy)]
    assert main(command) == 0
    errors = capsys.readouterr().err
    for name in names:
        assert f"{name} is truncated: " in errors
    assert "exporting" not in errors
    for name in ("training/history.json", "results.json"):
        former, now = (json.loads((run / name).read_text()) for run in (finished_run, copy))
        if name == "results.json":
            former, now = former["history"], now["history"]
        assert former == now


def test_what_would_fail_late_is_refused_early(
    capsys, finished_run, corpus_folder, recipe_mapping, tmp_path, monkeypatch
):
    """Before any model is loaded."""
    monkeypatch.setattr("tfcompress.pipeline.exporting.load_tensorflow", None)
    source, target = (str(corpus_folder / f"test.{language}") for language in ("en", "de"))
    (tmp_path / "file").touch()
    export = ["export", str(finished_run)]
    out = str(tmp_path / "bundle")
    plan = tmp_path / "plan.json"
    plan.write_text('{"encoder": "int4", "encoder": "int8"}')
    pairs = ["--source", source, "--reference", target]
    bundle = str(finished_run / "bundles" / "dynamic_int8")
    for command, message in [
        ([*export, out, "--shortlist", source, target], "`shortlist` needs the custom operation"),
        ([*export, out, "--quantization", "static_int8"], "needs `representative_data`"),
        ([*export, out, "--representative", source], "`representative_data` is for"),
        ([*export, bundle], "`force` to replace it"),
        ([*export, str(tmp_path / "file" / "bundle")], "be written"),
        ([*export, "/proc/bundle"], "be written"),
        (
            [*export, out, "--quantization", "mixed", "--quantization-scheme", str(plan)],
            "stands twice",
        ),
        (["sensitivity", str(finished_run), *pairs, "--tokenize", "x"], "`tokenize` must be"),
        (["sensitivity", str(finished_run), *pairs, "--output", "/proc/x"], "be written"),
        (["evaluate", bundle, *pairs, "--tokenize", "x"], "`tokenize` must be"),
    ]:
        assert message in run_bad(capsys, *command)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "plan.json"]


def test_a_recipe_is_checked_before_anything_is_written(
    capsys, corpus_folder, recipe_mapping, tmp_path
):
    recipe, run = tmp_path / "recipe.yaml", tmp_path / "run"
    for change, message in [
        ({"evaluation": {"beam_size": 5000}}, "`evaluation.beam_size` must be at most 1000"),
        ({"evaluation": {"tokenize": "x"}}, "`tokenize` must be one of"),
        ({"benchmark": {"threads": 100000}}, "`benchmark.threads` must be at most 1024"),
        ({"training": recipe_mapping["training"] | {"seed": -1}}, "`seed` must lie in"),
        ({"training": recipe_mapping["training"] | {"seed": 2**32}}, "`seed` must lie in"),
        ({"tokenizer": {"like": str(tmp_path)}}, "`tokenizer.like` must be the folder"),
        ({"start_from": str(tmp_path)}, "`start_from` must be the folder"),
        (
            {"teacher": {"path": str(tmp_path), "sequences": True}},
            "`teacher.path` must be the folder",
        ),
    ]:
        recipe.write_text(json.dumps(recipe_mapping | change), encoding="utf-8")
        command = ["train", str(recipe), "--corpus", str(corpus_folder), "--run", str(run)]
        assert message in run_bad(capsys, *command)
        assert not run.exists()


def test_a_plan_that_matches_nothing_stops_before_the_training(
    capsys, corpus_folder, recipe_mapping, tmp_path
):
    recipe, run = tmp_path / "recipe.yaml", tmp_path / "run"
    change = {"quantizations": ["mixed"], "quantization_scheme": {"^nothing": "int4"}}
    recipe.write_text(json.dumps(recipe_mapping | change), encoding="utf-8")
    command = ["train", str(recipe), "--corpus", str(corpus_folder), "--run", str(run)]
    assert "'^nothing', which matches none" in run_bad(capsys, *command)
    assert not run.exists()
