"""What layers lose to quantization, and plans of a given loss."""

import json
import math
from pathlib import Path

import pytest
import yaml
from flavours import one_flavour

from tfcompress.commands import main
from tfcompress.errors import InputError
from tfcompress.export.quantization.schemes import QUANTIZATIONS
from tfcompress.models import (
    AttentionConfig,
    FeedForwardConfig,
    Seq2SeqConfig,
    Seq2SeqTransformer,
    StackConfig,
)
from tfcompress.models.presets import save_preset
from tfcompress.pipeline import sensitivity
from tfcompress.text import read_lines

pytestmark = one_flavour


@pytest.fixture(scope="module")
def run(finished_run, tmp_path_factory):
    """The folder of a model that nobody trained, with layers that are large enough."""
    folder = tmp_path_factory.mktemp("sensitivity") / "run"
    stack = StackConfig(1, attention=AttentionConfig(2), feed_forward=FeedForwardConfig(64))
    config = Seq2SeqConfig(
        256, hidden_dim=32, encoder=stack, decoder=stack, max_source_length=48, max_target_length=48
    )
    save_preset(Seq2SeqTransformer(config), folder / "model")
    for name in ("tokenizer.model", "run.json"):
        (folder / name).write_bytes((finished_run / name).read_bytes())
    return folder


@pytest.fixture(scope="module")
def sentences(corpus_folder):
    return [read_lines(corpus_folder / f"valid.{language}")[:4] for language in ("en", "de")]


@pytest.fixture
def better_when_larger(monkeypatch):
    """BLEU that only the size of the file decides, so that what is planned can be known."""

    def evaluate(path, sources, references, **options):
        size = Path(path, "model.tflite").stat().st_size
        return {"bleu": 10 * math.log2(size), "signature": "size"}

    monkeypatch.setattr("tfcompress.pipeline.layer_sensitivity.evaluate_translation", evaluate)


@pytest.mark.slow
def test_report(run, sentences):
    report = sensitivity(run, *sentences, max_loss=100)
    layers = [row.layer for row in report.layers[::3]]
    assert {"encoder_layer_0", "decoder_layer_0"} < set(layers)
    assert len(report.layers) == 3 * len(set(layers))
    for layer in layers:
        rows = [row for row in report.layers if row.layer == layer]
        assert [row.data_type for row in rows] == ["int4", "int8", "float16"]
        noise = [row.signal_to_noise for row in rows]
        assert noise == sorted(noise)
        sizes = [row.model_bytes for row in rows]
        assert sizes == sorted(sizes)
        assert sizes[-1] < report.float32_bytes
    # Whatever may be lost, nothing is smaller than 4 bits everywhere.
    assert set(report.quantization_scheme.values()) == {"int4"}
    assert report.scheme_bytes < min(row.model_bytes for row in report.layers)
    assert "smallest scheme that loses at most 100" in str(report)
    json.dumps(report.to_dict(), allow_nan=False)


@pytest.mark.slow
def test_the_plan_keeps_within_the_loss(run, sentences, better_when_larger):
    reports = [sensitivity(run, *sentences, max_loss=loss) for loss in (0, 12)]
    sizes = [report.scheme_bytes for report in reports]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == len(sizes)
    for report in reports:
        assert report.scheme_bleu >= report.float32_bleu - report.max_loss
        assert report.scheme_bleu == 10 * math.log2(report.scheme_bytes)
    assert set(reports[0].quantization_scheme.values()) == {"float32"}
    assert len(set(reports[1].quantization_scheme.values())) > 1
    assert reports[0].scheme_bytes == reports[0].float32_bytes


@pytest.mark.slow
def test_command(run, corpus_folder, tmp_path, capsys):
    scheme, bundle = tmp_path / "scheme.json", tmp_path / "bundle"
    arguments = ["sensitivity", str(run), "--sentences", "2", "--output", str(scheme)]
    for option, language in (("--source", "en"), ("--reference", "de")):
        arguments += [option, str(corpus_folder / f"valid.{language}")]
    assert main([*arguments, "--max-loss", "100", "--json"]) == 0
    metrics = json.loads(capsys.readouterr().out)
    assert metrics["sentences"] == 2
    assert json.loads(scheme.read_text()) == metrics["quantization_scheme"]
    options = ["--quantization", "mixed", "--quantization-scheme", str(scheme), "--json"]
    assert main(["export", str(run), str(bundle), *options]) == 0
    manifest = json.loads(capsys.readouterr().out)
    assert manifest["quantization_scheme"] == metrics["quantization_scheme"]
    # The same weights; its rows of scales may be stored in another order.
    assert manifest["files"]["model.tflite"]["bytes"] == pytest.approx(
        metrics["scheme_bytes"], rel=0.01
    )


@pytest.mark.slow
def test_static_export_by_command(run, corpus_folder, tmp_path, capsys):
    texts = corpus_folder / "train.en"
    options = ["--quantization", "static_int8", "--representative", str(texts), "--json"]
    assert main(["export", str(run), str(tmp_path / "bundle"), *options]) == 0
    manifest = json.loads(capsys.readouterr().out)
    assert manifest["encoder"]["representative_sentences"] == 200


@pytest.mark.slow
def test_recipes_have_plans(recipe_mapping, finished_run, corpus_folder, tmp_path, capsys):
    mapping = recipe_mapping | {
        "model": {},
        "start_from": str(finished_run),
        "training": {"updates": 0},
        "quantizations": ["mixed", "static_int8"],
        "quantization_scheme": {"^embedding/": "int4_per_channel"},
    }
    del mapping["tokenizer"]
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(mapping))
    arguments = ["train", str(tmp_path / "recipe.yaml"), "--corpus", str(corpus_folder), "--quiet"]
    assert main([*arguments, "--run", str(tmp_path / "run"), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["quantization"] for row in rows] == ["mixed", "static_int8"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_loss": -1}, "`max_loss` must be at least 0"),
        ({"max_loss": float("nan")}, "`max_loss` must be at least 0"),
        ({"data_types": ["int3"]}, "`data_types` must be some of"),
        ({"data_types": []}, "`data_types` must be some of"),
        ({"sources": []}, "equal in number and not empty. Received: 0 and 1"),
        ({"run": "nowhere"}, "nowhere"),
    ],
)
def test_bad_options(run, options, message):
    with pytest.raises(InputError, match=message):
        sensitivity(**{"run": run, "sources": ["a"], "references": ["b"], **options})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--quantization-scheme", "{missing}"], "There is no such file. Received: "),
        (["--quantization-scheme", "{list}"], "must map regular expressions"),
        (["--quantization-scheme", "{broken}"], "must be YAML "),
        (["--quantization-scheme", "{good}"], "only. Received: quantization='dynamic_int8'"),
        (["--quantization", "mixed"], "needs a `quantization_scheme`"),
        (["--quantization", "static_int8"], "needs `representative_data`"),
        (["--quantization", "static_int8", "--representative", "{missing}"], "No such file"),
        (["--quantization", "static_int8", "--representative", "{empty}"], "has no sentences"),
        (["--representative", "{good}"], "`representative_data` is for static"),
    ],
)
def test_bad_export_options(run, tmp_path, capsys, arguments, message):
    texts = {"list": "- a", "broken": "{", "good": '{"a": "int8"}', "empty": "\n"}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    paths = {name: str(tmp_path / name) for name in (*texts, "missing")}
    arguments = [argument.format(**paths) for argument in arguments]
    assert main(["export", str(run), str(tmp_path / "bundle"), *arguments]) == 2
    assert message in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "bundle").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"quantizations": ["mixed"]}, "`quantization_scheme` goes with the bundle mixed"),
        (
            {"quantization_scheme": {"a": "int8"}},
            "`quantization_scheme` goes with the bundle mixed",
        ),
        ({"quantization_scheme": {"a": "int3"}, "quantizations": ["mixed"]}, "Received: 'int3'"),
    ],
)
def test_bad_recipes(recipe_mapping, tmp_path, changes, message):
    from tfcompress.pipeline import load_recipe

    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe_mapping | changes))
    with pytest.raises(InputError, match=message):
        load_recipe(tmp_path / "recipe.yaml")


def test_every_quantization_is_in_the_help(capsys):
    with pytest.raises(SystemExit):
        main(["export", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert all(quantization in text for quantization in QUANTIZATIONS)
