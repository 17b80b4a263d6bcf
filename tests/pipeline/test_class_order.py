"""Recipes that begin with models whose classes have another order, other names, or none."""

import json
import shutil

import numpy as np
import pytest
from flavours import one_flavour
from models.published_folders import BERT, bert_shapes, dense
from safetensors.numpy import save_file
from text.text_corpus import BAD, GOOD, PIECES, write_text_corpus

from tfcompress.errors import InputError
from tfcompress.export import convert
from tfcompress.export.runtime import TextModel
from tfcompress.models import from_safetensors, load_preset
from tfcompress.pipeline import evaluate_encoder, run_recipe
from tfcompress.pipeline.recipe_files import recipe_from_mapping
from tfcompress.reporting import load_results
from tfcompress.text import load_text_tokenizer

UNTRAINED = {"updates": 0}
SHORT = {"updates": 1, "evaluate_every": 1, "batch_tokens": 256, "schedule": "constant"}


@pytest.fixture
def publish(tmp_path):
    """Writes a folder with a model that knows praise from blame: its first class is praise."""

    def write(id2label, name="published", outputs=2, **settings):
        folder = write_text_corpus(tmp_path / name)
        for path in folder.glob("*.tsv"):
            path.unlink()
        config = BERT | {"vocab_size": len(PIECES), "max_position_embeddings": 16}
        shapes = bert_shapes(config) | dense("classifier", outputs, 16)
        # Each layer passes on what it gets, and attention takes the mean of all tokens.
        tensors = {key: np.zeros(shape, "f") for key, shape in shapes.items()}
        for key in tensors:
            if "LayerNorm.weight" in key:
                tensors[key][:] = 1
            if key.endswith(("value.weight", "attention.output.dense.weight")):
                tensors[key] = 3 * np.eye(16, dtype="f")
        words = tensors["embeddings.word_embeddings.weight"]
        words[:, 2:4] = [1, -1]
        for word in GOOD:
            words[PIECES.index(word), :2] = [5, -5]
        for word in BAD:
            words[PIECES.index(word), :2] = [-5, 5]
        tensors["pooler.dense.weight"] = np.eye(16, dtype="f")
        tensors["classifier.weight"][:, 0] = [5, -5][:outputs]
        settings = config | {"id2label": id2label} | settings
        (folder / "config.json").write_text(json.dumps(settings))
        save_file(tensors, folder / "model.safetensors")
        return folder

    return write


@pytest.fixture
def write_corpus(tmp_path):
    """Writes a corpus with these names for blame and praise."""

    def write(bad, good, name="corpus"):
        folder = write_text_corpus(tmp_path / name, train=40, valid=12, test=24)
        for path in folder.glob("*.tsv"):
            lines = path.read_text().replace("\t0\n", f"\t{bad}\n").replace("\t1\n", f"\t{good}\n")
            path.write_text(lines)
        return folder

    return write


@pytest.fixture
def run(tmp_path):
    """Runs a recipe and returns its folder and what it said."""

    def start(corpus, name="run", training=UNTRAINED, labels=(), **changes):
        mapping = {"name": name, "kind": "text_encoder", "training": training}
        mapping |= {"quantizations": ["float32"], "benchmark": {"texts": 2, "runs": 1}}
        mapping["corpus"] = {"labels": list(labels)}
        said = []
        recipe = recipe_from_mapping(mapping | changes)
        run_recipe(recipe, tmp_path / name, corpus=corpus, verbose=0, say=said.append)
        return tmp_path / name, said

    return start


def accuracy(folder):
    return load_results(folder).rows[0].accuracy


def bundle_labels(folder):
    manifest = json.loads((folder / "bundles" / "float32" / "manifest.json").read_text())
    return manifest["head"]["labels"]


@pytest.mark.parametrize(
    ("id2label", "names", "said"),
    [
        ({"0": "positive", "1": "negative"}, ("negative", "positive"), "negative is negative (1)"),
        ({"0": "POSITIVE", "1": "NEGATIVE"}, ("negative", "positive"), "negative is NEGATIVE (1)"),
        ({"0": "a", "1": "b"}, ("b", "a"), None),
        ({"0": "1", "1": "0"}, (0, 1), "0 is 0 (1)"),
    ],
)
def test_a_published_classifier(publish, write_corpus, run, id2label, names, said):
    """Without training it answers as it was published."""
    published = publish(id2label)
    folder, lines = run(write_corpus(*names), pretrained=str(published))
    assert accuracy(folder) == 100
    assert bundle_labels(folder) == sorted(map(str, names))
    spoken = [line for line in lines if "classes go by name" in line]
    assert len(spoken) == (said is not None)
    assert all(said in line for line in spoken)
    with TextModel(folder / "bundles" / "float32") as model:
        assert model.classify("the film is great .").label == str(names[1])
        assert model.classify("the film is dull .").label == str(names[0])


@one_flavour
def test_numbers(publish, write_corpus, run):
    """A corpus whose labels are numbers means the model's numbers, and says so."""
    corpus = write_corpus(1, 0)
    for name, id2label, spoken in (
        ("named", {"0": "positive", "1": "negative"}, 1),
        ("unnamed", {"0": "LABEL_0", "1": "LABEL_1"}, 0),
        ("without", None, 0),
    ):
        folder, lines = run(corpus, name, pretrained=str(publish(id2label, f"p_{name}")))
        assert accuracy(folder) == 100
        assert sum("classes go by number: 0 is positive (0)" in line for line in lines) == spoken


@one_flavour
@pytest.mark.parametrize("id2label", [None, {"0": "LABEL_0", "1": "LABEL_1"}])
def test_classes_without_names(publish, write_corpus, run, id2label):
    """What was never named is not guessed, but `corpus.labels` may name it."""
    corpus, published = write_corpus("negative", "positive"), str(publish(id2label))
    with pytest.raises(InputError, match=r"the head must start anew, but .* \(received updates 0"):
        run(corpus, "guessed", pretrained=published)
    folder, lines = run(corpus, labels=["positive", "negative"], pretrained=published)
    assert accuracy(folder) == 100
    assert any("the model's classes are called positive, negative, in this" in one for one in lines)
    folder, lines = run(corpus, "trained", SHORT, pretrained=published)
    assert any("the head starts anew: the model to begin with has the" in one for one in lines)


@one_flavour
def test_other_classes(publish, write_corpus, run):
    published = str(publish({"0": "spam", "1": "ham"}))
    corpus = write_corpus("negative", "positive")
    with pytest.raises(InputError, match="the classes spam, ham, not negative, positive, so the h"):
        run(corpus, "refused", pretrained=published)
    with pytest.raises(InputError, match="measures the model needs one with the classes negative"):
        run(
            corpus,
            "surgery",
            SHORT,
            pretrained=published,
            surgery={"before": [{"prune_heads": {"fraction": 0.5, "sentences": 8}}]},
        )
    several = publish({"0": "positive", "1": "negative"}, problem_type="multi_label_classification")
    with pytest.raises(InputError, match="has a head for multi_label_classification, not one for"):
        run(corpus, "several", pretrained=str(several))
    (corpus / "train.tsv").write_text("it is fine .\tpositive\n")
    (corpus / "dev.tsv").write_text("it is fine .\tpositive\n")
    (corpus / "test.tsv").write_text("it is fine .\tpositive\n")
    with pytest.raises(InputError, match=r"has one class only \(positive\)"):
        run(corpus, "one", pretrained=published)


@one_flavour
def test_surgery_measures_the_right_classes(publish, write_corpus, run):
    """Of two layers one is kept that leaves the accuracy at 100."""
    published = str(publish({"0": "positive", "1": "negative"}))
    step = {"drop_layers": {"search_encoder": 1, "sentences": 12}}
    corpus = write_corpus("negative", "positive")
    folder, _ = run(corpus, pretrained=published, surgery={"before": [step]})
    assert load_preset(folder / "model").config.encoder.num_layers == 1
    assert accuracy(folder) == 100


@one_flavour
def test_runs_of_another_order(publish, write_corpus, run, tmp_path):
    """Runs with the classes of another corpus as a beginning and as teachers."""
    published = str(publish({"0": "positive", "1": "negative"}))
    one = write_corpus("negative", "positive")
    former, _ = run(one, "former", labels=["positive", "negative"], pretrained=published)
    assert bundle_labels(former) == ["positive", "negative"]
    folder, lines = run(one, "later", start_from=str(former))
    assert accuracy(folder) == 100
    assert any("classes go by name" in line for line in lines)
    training = SHORT | {"distillation": {"weight": 1.0}, "learning_rate": 1e-9}
    teach = {"start_from": str(former), "teacher": {"path": str(former)}, "training": training}
    folder, lines = run(one, "student", **teach)
    history = json.loads((folder / "training" / "history.json").read_text())
    # The student begins as its teacher.
    assert history[0]["loss"] == pytest.approx(0, abs=1e-4)
    assert any("the teacher's classes go by name" in line for line in lines)
    other = write_corpus("bad", "good", "other")
    with pytest.raises(InputError, match="the teacher has the classes positive, negative, not bad"):
        run(other, "wrong", **teach)


@one_flavour
def test_a_teacher_with_another_tokenizer(publish, write_corpus, run, tmp_path):
    published = str(publish({"0": "positive", "1": "negative"}))
    corpus = write_corpus("negative", "positive")
    teacher, _ = run(corpus, "teacher", pretrained=published)
    other = tmp_path / "tokenizer"
    shutil.copytree(published, other)
    (other / "vocab.txt").write_text("\n".join([*PIECES[:5], *reversed(PIECES[5:])]) + "\n")
    training = SHORT | {"distillation": {"weight": 1.0}}
    settings = {"pretrained": published, "teacher": {"path": str(teacher)}, "training": training}
    with pytest.raises(
        InputError, match=r"`teacher\.path`: .* has another tokenizer than this run"
    ):
        run(corpus, "student", tokenizer=str(other), **settings)


@one_flavour
@pytest.mark.parametrize("kind", ["regression", "multi_label_classification"])
def test_recipes_train_one_class_a_text(publish, write_corpus, run, kind):
    published = str(publish({"0": "positive", "1": "negative"}))
    corpus = write_corpus("negative", "positive")
    with pytest.raises(InputError, match=r"`model\.head` must be of the kind classification"):
        run(corpus, pretrained=published, model={"head": {"kind": kind}})


@pytest.fixture
def bundle(publish, tmp_path):
    def make(id2label, **settings):
        published = publish(id2label, **settings)
        tokenizer = load_text_tokenizer(published)
        path = tmp_path / "bundle"
        convert(from_safetensors(published), path, tokenizer=tokenizer, force=True)
        return path

    return make


def evaluated(bundle, rows):
    path = bundle.parent / "data.tsv"
    path.write_text("".join(f"{text}\t{label}\n" for text, label in rows))
    return evaluate_encoder(bundle, path)


@one_flavour
@pytest.mark.parametrize(
    ("id2label", "good", "bad"),
    [
        ({"0": "positive", "1": "negative"}, "positive", "negative"),
        ({"0": "positive", "1": "negative"}, "Positive", "NEGATIVE"),
        ({"0": "positive", "1": "negative"}, "0", "1"),
        ({"0": "positive", "1": "negative"}, "0", "negative"),
        # Names that look like numbers go first, unless the file has others.
        ({"0": "1", "1": "0"}, "1", "0"),
        ({"0": "1", "1": "2"}, "1", "2"),
        ({"0": "1", "1": "2"}, "0", "1"),
        (None, "0", "1"),
        ({"0": "LABEL_0", "1": "LABEL_1"}, "LABEL_0", "LABEL_1"),
        ({"0": "LABEL_0", "1": "LABEL_1"}, "0", "1"),
    ],
)
def test_evaluation_on_labels(bundle, id2label, good, bad):
    rows = [("it is great .", good), ("a dull plot .", bad), ("fine music .", good)]
    assert evaluated(bundle(id2label), rows)["accuracy"] == 1


@one_flavour
def test_evaluation_of_several_classes(bundle):
    path = bundle({"0": "praise", "1": "blame"}, problem_type="multi_label_classification")
    rows = [
        ("it is great .", "praise"),
        ("a dull plot .", "1"),
        ("fine music .", "praise, blame"),
        ("the music is empty .", ""),
    ]
    figures = evaluated(path, rows)
    assert figures["labels"] == [[0], [1], [0], [1]]
    assert figures["exact_match"] == 0.5
    # 3 right of 4 found and 4 true.
    assert figures["micro_f1"] == pytest.approx(2 * 3 / 8)
    assert figures["macro_f1"] == pytest.approx((2 * 2 / 4 + 2 * 1 / 4) / 2)
    with pytest.raises(
        InputError, match=r"line 1: label 'fun'; give 0 to 1, or one of praise, bla"
    ):
        evaluated(path, [("it is great .", "praise,fun")])


@one_flavour
def test_evaluation_of_scores(bundle):
    path = bundle({"0": "LABEL_0"}, outputs=1)
    texts = ["it is great .", "a dull plot .", "the great great great film", "a story ."]
    with TextModel(path) as model:
        scores = model.score(texts).astype(float)
    figures = evaluated(path, zip(texts, 2 * scores + 1))
    assert figures["pearson"] == pytest.approx(1, abs=1e-5)
    assert figures["spearman"] == pytest.approx(1)
    assert figures["mean_absolute_error"] == pytest.approx(np.mean(np.abs(scores + 1)), abs=1e-4)
    assert evaluated(path, zip(texts, -scores))["spearman"] == pytest.approx(-1)
    with pytest.raises(InputError, match="line 1: score 'high'; give a number"):
        evaluated(path, [("it is great .", "high")])
