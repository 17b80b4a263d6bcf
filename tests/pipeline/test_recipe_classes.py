"""Recipes that begin with models whose classes have another order, other names, or none."""

import contextlib
import functools
import json
import re
import shutil

import numpy as np
import pytest
from flavours import one_flavour
from models.published_folders import BERT, bert_shapes, dense
from safetensors.numpy import load_file, save_file
from text.text_corpus import BAD, GOOD, PIECES, write_text_corpus

from tfcompress.errors import InputError
from tfcompress.export import convert
from tfcompress.models import from_safetensors, load_preset
from tfcompress.pipeline import evaluate_text_encoder, run_recipe
from tfcompress.pipeline.recipe_files import recipe_from_mapping
from tfcompress.reporting import load_results
from tfcompress.runtime import TextModel
from tfcompress.text import load_text_tokenizer

UNTRAINED = {"updates": 0}
WORDS = (GOOD[0], BAD[0])
SHORT = {"updates": 1, "evaluate_every": 1, "batch_tokens": 256, "schedule": "constant"}


def write_published(folder, id2label, outputs=2, **settings):
    """Writes a model that knows praise from blame: its first class is praise."""
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(PIECES) + "\n")
    config = BERT | {"vocab_size": len(PIECES), "max_position_embeddings": 16}
    # One position of a vector holds all it knows, which dropout would take away.
    rates = ("hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout")
    config |= dict.fromkeys(rates, 0.0)
    shapes = bert_shapes(config) | dense("classifier", outputs, 16)
    # Each layer passes on what it gets, and attention adds the mean of all tokens.
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


@pytest.fixture
def publish(tmp_path):
    return lambda id2label, **settings: write_published(
        tmp_path / f"published{len([*tmp_path.iterdir()])}", id2label, **settings
    )


@pytest.fixture
def write_corpus(tmp_path):
    """Writes a corpus with these names for blame and praise."""

    def write(bad, good, name="corpus"):
        folder = write_text_corpus(tmp_path / name, train=40, valid=12, test=24)
        for path in folder.glob("*.tsv"):
            lines = path.read_text().splitlines()
            texts = [f"{line[:-1]}{(bad, good)[int(line[-1])]}" for line in lines[1:]]
            path.write_text("\n".join([lines[0], *texts, ""]))
        return folder

    return write


class Trained(Exception):  # noqa: N818
    """Ends a run once its model is trained."""


@pytest.fixture
def run(tmp_path):
    """Runs a recipe and returns its folder and what it said."""

    def start(corpus, name="run", training=UNTRAINED, labels=(), files=(), exports=True, **changes):
        mapping = {"name": name, "model_type": "text_encoder", "training": training}
        mapping |= {"quantizations": ["float32"], "benchmark": {"texts": 2, "runs": 1}}
        mapping["corpus"] = {"labels": list(labels), **dict(files)}
        said = []

        def say(line):
            said.append(line)
            if "exporting" in line and not exports:
                raise Trained

        with contextlib.suppress(Trained):
            recipe = recipe_from_mapping(mapping | changes)
            run_recipe(recipe, tmp_path / name, corpus=corpus, verbose=0, log=say)
        return tmp_path / name, said

    return start


@pytest.fixture
def train(run):
    """Does what `run` does, but ends with the trained model."""
    return functools.partial(run, exports=False)


def answers(folder):
    """The names that a run's model gives to praise and to blame."""
    encoder = load_preset(folder / "model")
    ids = np.array([[2, *map(PIECES.index, f"the film is {word} .".split()), 3] for word in WORDS])
    logits = encoder.call_without_mask(ids)["logits"]
    return [encoder.config.head.labels[number] for number in np.argmax(logits, axis=-1)]


def says(lines, text):
    return sum(text in line for line in lines)


@pytest.mark.slow
def test_training_files_have_shares(publish, write_corpus, run):
    """Where the files contradict each other, the one with the larger share is believed."""
    published = publish({"0": "positive", "1": "negative"})
    corpus = write_corpus("negative", "positive")
    lines = (corpus / "train.tsv").read_text()
    swap = {"negative": "positive", "positive": "negative"}
    swapped = re.sub("negative|positive", lambda match: swap[match[0]], lines)
    (corpus / "more.tsv").write_text(swapped)
    training = SHORT | {"updates": 60, "evaluate_every": 60, "learning_rate": 0.02}
    accuracy = {}
    for weights in ([99, 1], [1, 99]):
        folder, _ = run(
            corpus,
            f"run-{weights[0]}",
            training=training,
            pretrained=str(published),
            files={"train": ["train", "more"], "weights": weights},
        )
        accuracy[weights[0]] = load_results(folder).rows[0].accuracy
    assert accuracy[99] > 90
    assert accuracy[1] < 10


@pytest.mark.slow
def test_a_published_classifier(publish, write_corpus, run):
    """Without training it answers as it was published, from its folder to its bundle."""
    published = publish({"0": "positive", "1": "negative"})
    folder, lines = run(write_corpus("negative", "positive"), pretrained=str(published))
    assert load_results(folder).rows[0].accuracy == 100
    assert says(lines, "classes go by name: negative is negative (1), positive is positive (0)")
    with TextModel(folder / "bundles" / "float32") as model:
        assert model.labels == ("negative", "positive")
        assert model.classify("the film is great .").label == "positive"
        assert model.classify("the film is dull .").label == "negative"


@pytest.mark.costly
@one_flavour
@pytest.mark.parametrize(
    ("id2label", "names", "said"),
    [
        ({"0": "POSITIVE", "1": "NEGATIVE"}, ("negative", "positive"), "negative is NEGATIVE (1)"),
        ({"0": "1", "1": "0"}, ("0", "1"), "by name: 0 is 0 (1)"),
        # A corpus whose labels are numbers means the model's numbers.
        ({"0": "positive", "1": "negative"}, ("1", "0"), "by number: 0 is positive (0)"),
        ({"0": "LABEL_0", "1": "LABEL_1"}, ("1", "0"), None),
    ],
)
def test_other_names(publish, write_corpus, train, id2label, names, said):
    published = publish(id2label)
    folder, lines = train(write_corpus(*names), pretrained=str(published))
    assert answers(folder) == [names[1], names[0]]
    assert says(lines, "classes go") == (said is not None)
    assert said is None or says(lines, said)


@pytest.mark.slow
@pytest.mark.costly
@one_flavour
@pytest.mark.parametrize("id2label", [None, {"0": "LABEL_0", "1": "LABEL_1"}])
def test_classes_without_names(publish, write_corpus, train, id2label):
    """What was never named is not guessed, but `corpus.labels` may name it."""
    corpus, published = write_corpus("negative", "positive"), str(publish(id2label))
    with pytest.raises(InputError, match=r"the head must start anew, but .* Received: updates 0"):
        train(corpus, "guessed", pretrained=published)
    folder, lines = train(corpus, labels=["positive", "negative"], pretrained=published)
    assert answers(folder) == ["positive", "negative"]
    assert says(lines, "the model's classes are called positive, negative, in this order")
    if id2label is None:
        _, lines = train(corpus, "trained", SHORT, pretrained=published)
        assert says(lines, "the head starts anew: the model to begin with has the classes 0, 1")


@pytest.mark.slow
@one_flavour
def test_other_classes(publish, write_corpus, train):
    published = str(publish({"0": "spam", "1": "ham"}))
    corpus = write_corpus("negative", "positive")
    with pytest.raises(InputError, match="the classes spam, ham, not negative, positive, so the h"):
        train(corpus, "refused", pretrained=published)
    heads = {"before": [{"prune_heads": {"fraction": 0.5, "sentences": 8}}]}
    with pytest.raises(
        InputError,
        match=r"needs one with the corpus' classes in their order. Received: a corpus with neg",
    ):
        train(corpus, "surgery", SHORT, pretrained=published, surgery=heads)
    for kind in ("regression", "multi_label_classification"):
        settings = {"pretrained": published, "model": {"head": {"task": kind}}}
        with pytest.raises(InputError, match=r"`model\.head` must be of the task classification"):
            train(corpus, kind, SHORT, **settings)
    several = publish({"0": "positive", "1": "negative"}, problem_type="multi_label_classification")
    with pytest.raises(InputError, match="has a head for multi_label_classification, not one for"):
        train(corpus, "several", pretrained=str(several))
    for path in corpus.glob("*.tsv"):
        path.write_text("it is fine .\tpositive\n")
    with pytest.raises(InputError, match=r"two classes or more\. Received: .* with positive only"):
        train(corpus, "one", pretrained=published)


@pytest.mark.slow
@one_flavour
def test_surgery_measures_the_right_classes(publish, write_corpus, train):
    """Of two layers the one is kept that leaves the answers as they are."""
    published = publish({"0": "positive", "1": "negative"})
    path = published / "model.safetensors"
    tensors = load_file(path)
    # The second layer takes praise for blame, and blame for praise.
    tensors["encoder.layer.1.attention.output.LayerNorm.weight"][:2] = -1
    tensors["classifier.weight"] *= -1
    save_file(tensors, path)
    step = {"drop_layers": {"search_encoder": 1, "sentences": 12}}
    corpus = write_corpus("negative", "positive")
    folder, _ = train(corpus, pretrained=str(published), surgery={"before": [step]})
    assert load_preset(folder / "model").config.encoder.num_layers == 1
    assert answers(folder) == ["positive", "negative"]


@pytest.mark.slow
@one_flavour
def test_runs_of_another_order(publish, write_corpus, train):
    """Runs with the classes of another corpus as a beginning and as teachers."""
    published = str(publish({"0": "positive", "1": "negative"}))
    corpus = write_corpus("negative", "positive")
    former, _ = train(corpus, "former", labels=["positive", "negative"], pretrained=published)
    assert load_preset(former / "model").config.head.labels == ("positive", "negative")
    training = SHORT | {"distillation": {"weight": 1.0}, "learning_rate": 1e-9}
    teach = {"start_from": str(former), "teacher": {"path": str(former)}, "training": training}
    folder, lines = train(corpus, "student", **teach)
    assert answers(folder) == ["positive", "negative"]
    history = json.loads((folder / "training" / "history.json").read_text())
    # The student begins as its teacher, and both know all.
    assert history[0]["loss"] == pytest.approx(0, abs=1e-4)
    assert history[0]["val_accuracy"] == 1
    assert says(lines, "student: classes go by name")
    assert says(lines, "student: the teacher's classes go by name")
    other = write_corpus("bad", "good", "other")
    with pytest.raises(InputError, match="has the classes positive, negative, not bad"):
        train(other, "wrong", **teach)
    pieces = [*PIECES[:5], *reversed(PIECES[5:])]
    (other / "vocab.txt").write_text("\n".join(pieces) + "\n")
    settings = teach | {"start_from": None, "pretrained": published, "tokenizer": str(other)}
    with pytest.raises(
        InputError, match=r"must have the student's tokenizer\. Received: .*`teacher\.path`"
    ):
        train(corpus, "words", **settings)


HEADS = {
    "classes": {},
    "several": {"problem_type": "multi_label_classification"},
    "scores": {"outputs": 1},
}


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    """A bundle for each kind of head, without names."""
    folder = tmp_path_factory.mktemp("bundles")
    for name, settings in HEADS.items():
        published = write_published(folder / f"published_{name}", None, **settings)
        tokenizer = load_text_tokenizer(published)
        convert(from_safetensors(published), folder / name, tokenizer=tokenizer, samples=[[2, 3]])
    return folder


@pytest.fixture
def bundle(bundles, tmp_path):
    """Copies a bundle and names its classes."""

    def named(name, labels=()):
        copy = shutil.copytree(bundles / name, tmp_path / "bundle")
        manifest = json.loads((copy / "manifest.json").read_text())
        manifest["head"]["labels"] = list(labels)
        (copy / "manifest.json").write_text(json.dumps(manifest))
        return copy

    return named


def evaluated(bundle, rows):
    path = bundle.parent / "data.tsv"
    path.write_text("".join(f"{text}\t{label}\n" for text, label in rows))
    return evaluate_text_encoder(bundle, path)


@pytest.mark.slow
@one_flavour
@pytest.mark.parametrize(
    ("labels", "good", "bad"),
    [
        (("positive", "negative"), "positive", "negative"),
        (("positive", "negative"), "Positive", "NEGATIVE"),
        (("positive", "negative"), "0", "1"),
        (("positive", "negative"), "0", "negative"),
        # Names that look like numbers go first, unless the file has others.
        (("1", "0"), "1", "0"),
        (("1", "2"), "1", "2"),
        (("1", "2"), "0", "1"),
        ((), "0", "1"),
        (("LABEL_0", "LABEL_1"), "LABEL_0", "LABEL_1"),
        (("LABEL_0", "LABEL_1"), "0", "1"),
    ],
)
def test_evaluation_on_labels(bundle, labels, good, bad):
    rows = [("it is great .", good), ("a dull plot .", bad), ("fine music .", good)]
    assert evaluated(bundle("classes", labels), rows)["accuracy"] == 1


@one_flavour
def test_evaluation_of_several_classes(bundle):
    path = bundle("several", ["praise", "blame"])
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
        InputError,
        match=r"must be 0 to 1, or one of praise, blame\. Received: 'fun' in .*, line 1\.",
    ):
        evaluated(path, [("it is great .", "praise,fun")])


@one_flavour
def test_evaluation_of_scores(bundle):
    path = bundle("scores")
    texts = ["it is great .", "a dull plot .", "the great great great film", "a story ."]
    with TextModel(path) as model:
        scores = model.score(texts).astype(float)
    figures = evaluated(path, zip(texts, 2 * scores + 1))
    assert figures["pearson"] == pytest.approx(1, abs=1e-5)
    assert figures["spearman"] == pytest.approx(1)
    assert figures["mean_absolute_error"] == pytest.approx(np.mean(np.abs(scores + 1)), abs=1e-4)
    assert evaluated(path, zip(texts, -scores))["spearman"] == pytest.approx(-1)
    with pytest.raises(InputError, match=r"must be a number. Received: 'high' in .*, line 1"):
        evaluated(path, [("it is great .", "high")])
