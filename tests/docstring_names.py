"""What examples in docstrings take as given: names, and files in the folder that they run in.

A function here makes the value of the name, or the file or folder, that is called like it (files
through `FILES`); it runs once, when an example first needs it.
"""

import dataclasses
import functools
import importlib
import json
import math
import re
import shutil
import types
from pathlib import Path
from unittest import mock

import numpy as np

import tfcompress as tfc

once = functools.cache
EXAMPLES = ["It runs!", "It plays."]


# Files.


@once
def corpus_folder():
    from tfcompress.text.phrases import write_corpus

    write_corpus("corpus", pairs=600, valid=50, test=50)


@once
def pairs_file():
    lines = zip(sources(), targets())
    Path("pairs.en-de.tsv").write_text("".join(f"{a}\t{b}\n" for a, b in [*lines, ("a", "")]))


@once
def labelled_folder():
    folder = Path("sst2")
    folder.mkdir()
    for split in ("train", "dev"):
        (folder / f"{split}.tsv").write_text("a gripping film\t1\na dull film\t0\n" * 8)


@once
def tokenizer_file():
    sources, targets = corpus().splits["train"]
    tfc.text.train_tokenizer(sources + targets, vocabulary_size=500, path="tokenizer.model")


@once
def published_files():
    from sentencepiece import SentencePieceTrainer

    from tfcompress.text.byte_pair import byte_letters

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = ["it", "runs", "!", "play", "##s"]
    Path("vocab.txt").write_text("".join(f"{piece}\n" for piece in special + words))
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *byte_letters(), "It", "Ġr"]
    Path("vocab.json").write_text(json.dumps({piece: i for i, piece in enumerate(pieces)}))
    Path("merges.txt").write_text("#version: 0.2\nI t\nĠ r\n", encoding="utf-8")
    Path("tokenizer_config.json").write_text('{"do_lower_case": true}')
    with open("spiece.model", "wb") as model:
        SentencePieceTrainer.train(
            sentence_iterator=iter(["it runs", "the dog runs", "it plays with the dog"]),
            model_writer=model,
            vocab_size=60,
            hard_vocab_limit=False,
            minloglevel=2,
            num_threads=1,
            pad_id=0,
            unk_id=1,
            bos_id=2,
            eos_id=3,
            bos_piece="[CLS]",
            eos_piece="[SEP]",
        )
    definition = tfc.text.load_text_tokenizer(".").definition
    Path("tokenizer.json").write_text(json.dumps(definition))
    folder = Path("sentence-encoder/0_Transformer")
    folder.mkdir(parents=True)
    (folder.parent / "modules.json").write_text('[{"path": "0_Transformer"}]')
    for name in ("vocab.txt", "tokenizer_config.json"):
        (folder / name).write_text(Path(name).read_text())


@once
def translation_bundle():
    options = {"source_tokenizer": tokenizer(), "target_tokenizer": tokenizer()}
    tfc.export.convert(transformer(), "en-de", quantization="float32", **options)


@once
def reverse_bundle():
    translation_bundle()
    shutil.copytree("en-de", "de-en")


@once
def text_encoder_bundle():
    published_files()
    vocabulary = tfc.text.WordPieceTokenizer.load("vocab.txt")
    tfc.export.convert(encoder(), "sentiment", tokenizer=vocabulary, quantization="float32")


@once
def keras_bundle():
    signature = tfc.export.Signature(input_names=["ids"], output_names=["logits"])
    signatures = {"serving_default": signature}
    tfc.export.convert(model(), "tagger", signatures=signatures, quantization="float32")


@once
def machine_behind_ssh():
    """Scripts that take this machine for another one; `bin` is on the path."""
    scripts = {"ssh": 'shift 3; sh -c "$1"', "scp": "shift 4; for last; do :; done"}
    scripts["scp"] += '; while [ $# -gt 1 ]; do cp -r "$1" "${last#pi:}"; shift; done'
    Path("bin").mkdir()
    for name, script in scripts.items():
        path = Path("bin", name)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)


def language_model():
    stack = tfc.models.StackConfig(
        1, attention=tfc.models.AttentionConfig(2), feed_forward=tfc.models.FeedForwardConfig(32)
    )
    config = tfc.models.LanguageModelConfig(500, hidden_dim=16, decoder=stack, max_length=16)
    return tfc.models.LanguageModel(config)


@once
def language_model_bundle():
    tfc.export.convert(language_model(), "phrases", tokenizer=tokenizer(), quantization="float32")


@once
def generator():
    language_model_bundle()
    return tfc.runtime.TextGenerator("phrases", native=False)


def tokenized_texts():
    return tfc.text.TokenizedTexts.from_corpus(tokenizer(), sources(), max_length=16)


@once
def results():
    from tfcompress.reporting import Example, Row, RunResults

    return RunResults(
        name="quickstart",
        created="2026-03-01T12:00:00+00:00",
        command="tfcompress quickstart --output runs/quickstart",
        machine={"cpu": "Cortex-A76", "cores": 4, "memory_bytes": 8_000_000_000},
        versions={"tfcompress": "0.1.0"},
        corpus="phrasebook en-de test",
        rows=[
            Row(system="teacher", quantization="float32", model_bytes=140_211_408, bleu=38.31),
            Row(system="student", quantization="int4", model_bytes=16_934_112, bleu=37.94),
        ],
        examples=[Example("Two dogs play.", "Zwei Hunde spielen.", {"teacher": "Hunde."})],
        history=[],
    )


def group():
    from tfcompress.reporting.comparison import group_runs

    return group_runs([results()])[0]


@once
def run_folder():
    from tfcompress.reporting import save_results

    save_results(results(), "runs/quickstart")


def tiny_recipe():
    stack = {
        "num_layers": 1,
        "attention": {"num_heads": 2},
        "feed_forward": {"intermediate_dim": 32},
    }
    training = {"updates": 2, "evaluate_every": 1, "evaluate_sentences": 0, "batch_tokens": 512}
    recipe = {
        "name": "tiny",
        "corpus": {"source_language": "en", "target_language": "de"},
        "tokenizer": {"vocabulary_size": 500},
        "model": {"hidden_dim": 16, "encoder": stack, "decoder": stack},
        "training": training,
        "quantizations": ["float32"],
        "benchmark": {"sentences": 2, "runs": 1},
    }
    Path("tiny.yaml").write_text(json.dumps(recipe))


@once
def finished_run():
    tiny_recipe()
    corpus_folder()
    recipe = tfc.pipeline.load_recipe("tiny.yaml")
    options = {"corpus": "corpus", "verbose": 0, "log": lambda line: None}
    tfc.pipeline.run_recipe(recipe, "tiny-run", **options)


def examples_folder():
    if not Path("examples").exists():
        Path("examples").symlink_to(Path(__file__).parents[1] / "examples")


@once
def marian_folder():
    from models import marian_folders

    marian_folders.write_random_model(Path("opus-mt-en-de"))


@once
def nllb_folder():
    from models import m2m100_folders

    m2m100_folders.write_random_model(Path("nllb-200-distilled-600M"), "nllb")


@once
def student_files():
    from models import marian_students

    vocabulary = marian_students.vocabulary()
    options = marian_students.settings(marian_students.size_of(vocabulary))
    tensors = marian_students.random_tensors(options)
    Path("student-files").mkdir()
    for folder in (".", "student-files"):
        Path(folder, "vocab.spm").write_bytes(vocabulary)
        Path(folder, "student.bin").write_bytes(marian_students.bergamot(tensors, options))
    Path("student.npz").write_bytes(marian_students.npz(tensors, options))


@once
def student_run():
    student_files()
    tfc.pipeline.import_model("student-files", "student-run", max_length=16)


@once
def student_tokenizer():
    student_files()
    return tfc.models.from_bergamot("student.bin", "vocab.spm").source_tokenizer


@once
def bergamot_shortlist():
    from tfcompress.text.bergamot_shortlist import write_bergamot_shortlist
    from tfcompress.text.marian_vocabularies import marian_pieces

    size, (_, ids) = student_tokenizer().vocabulary_size, marian_pieces(student_tokenizer())
    shortlist = tfc.text.build_shortlist([([5], [6])], size, size)
    write_bergamot_shortlist("lex.s2t.bin", shortlist, ids, ids)


FILES = {
    "opus-mt-en-de": marian_folder,
    "nllb-200-distilled-600M": nllb_folder,
    **dict.fromkeys(("student.bin", "student.npz", "vocab.spm"), student_files),
    "student-run": student_run,
    "lex.s2t.bin": bergamot_shortlist,
    "examples": examples_folder,
    "runs": run_folder,
    "tiny.yaml": tiny_recipe,
    "tiny-run": finished_run,
    "en-de": translation_bundle,
    "de-en": reverse_bundle,
    "sentiment": text_encoder_bundle,
    "tagger": keras_bundle,
    "ssh:pi": machine_behind_ssh,
    "phrases": language_model_bundle,
    "corpus": corpus_folder,
    "pairs.en-de.tsv": pairs_file,
    "sst2": labelled_folder,
    "tokenizer.model": tokenizer_file,
    **dict.fromkeys(
        (
            "vocab.txt",
            "vocab.json",
            "merges.txt",
            "tokenizer.json",
            "tokenizer_config.json",
            "spiece.model",
            "sentence-encoder",
        ),
        published_files,
    ),
}


# Names.


def tf():
    import tensorflow

    return tensorflow


def keras():
    return tf().keras


def keras_nlp():
    import keras_nlp

    return keras_nlp


def tfmot():
    import tensorflow_model_optimization

    return tensorflow_model_optimization


@once
def corpus():
    corpus_folder()
    return tfc.text.load_corpus("corpus", source_language="en", target_language="de")


@once
def tokenizer():
    tokenizer_file()
    return tfc.text.Tokenizer("tokenizer.model")


def sources():
    return corpus().splits["train"][0][:40]


def targets():
    return corpus().splits["train"][1][:40]


@once
def pairs():
    return tfc.text.TokenizedPairs.from_corpus(tokenizer(), sources(), targets())


def small_transformer(**changes):
    stack = tfc.models.StackConfig(
        2, attention=tfc.models.AttentionConfig(4), feed_forward=tfc.models.FeedForwardConfig(32)
    )
    settings = {"encoder": stack, "decoder": stack, "max_target_length": 16} | changes
    return tfc.models.Seq2SeqTransformer(tfc.models.Seq2SeqConfig(500, hidden_dim=16, **settings))


@once
def transformer():
    return small_transformer()


def marian_student():
    embedding = tfc.models.EmbeddingConfig(share=True, zero_start=True)
    return small_transformer(embedding=embedding, epsilon=1e-6)


def define_transformer():
    return small_transformer(
        embedding=tfc.models.EmbeddingConfig(layer_type="define", embedding_dim=8, tie="own")
    )


def theseus_transformer():
    stack = dataclasses.replace(transformer().config.encoder, successors=1)
    return small_transformer(encoder=stack)


def bleu_of():
    return lambda transformer: 0.0


def inputs():
    return batches()[0][0]


def batches():
    return [tfc.text.make_batch(pairs(), np.arange(4))]


def loss():
    return tfc.training.LabelSmoothedCrossentropy(0.1)


@once
def model():
    """One with a layer for each callback."""
    from tfcompress import layers

    ids = keras().Input((None,), dtype="int32")
    x = keras().layers.Embedding(16, 8)(ids)
    x = layers.LayerDropWrapper(layers.FeedForward(8), rate=0.1)(x)
    x = layers.TheseusModule([layers.FeedForward(8)], successor=layers.FeedForward(8))(x)
    x = layers.MultiHeadAttention(2, gated=True)(x)
    compiled = keras().Model(ids, keras().layers.Dense(16)(x))
    compiled.compile("adam", loss())
    return compiled


def dataset():
    ids = np.arange(1, 9).reshape(2, 4)
    return tf().data.Dataset.from_tensors((ids, ids)).repeat(4)


@once
def texts():
    published_files()
    tokenizer = tfc.text.WordPieceTokenizer.load("vocab.txt")
    return tfc.text.LabelledTexts(tokenizer, EXAMPLES, [0, 1], max_length=16, token_types=True)


def translate():
    return list


def translate_n_best():
    return lambda sources: [[source] for source in sources]


@once
def encoder():
    stack = tfc.models.StackConfig(
        2, attention=tfc.models.AttentionConfig(2), feed_forward=tfc.models.FeedForwardConfig(32)
    )
    head = tfc.models.HeadConfig(labels=("negative", "positive"))
    config = tfc.models.TextEncoderConfig(
        10, hidden_dim=16, encoder=stack, head=head, max_length=16
    )
    return tfc.models.TextEncoder(config)


def translation_dataset():
    return tfc.text.training_dataset(pairs(), batch_tokens=256, seed=1).take(1)


def config():
    return encoder().config


def with_small_recipes():
    """The library with a quickstart that trains for two updates only."""
    module = importlib.import_module("tfcompress.pipeline.quickstart")

    def small(name, **settings):
        recipe = shipped_recipe(name, **settings)
        changes = {"updates": 2, "evaluate_every": 1, "evaluate_sentences": 4, "warmup": 1}
        training = dataclasses.replace(recipe.training, **changes)
        corpus = dataclasses.replace(recipe.corpus, pairs=6000)
        return dataclasses.replace(recipe, training=training, corpus=corpus)

    def quickstart(folder, **options):
        with mock.patch.object(module, "shipped_recipe", small):
            return module.quickstart(folder, **options)

    shipped_recipe = module.shipped_recipe
    return types.SimpleNamespace(pipeline=types.SimpleNamespace(quickstart=quickstart))


NAMES = {
    "tfc": lambda: tfc,
    "np": lambda: np,
    "json": lambda: json,
    "math": lambda: math,
    "re": lambda: re,
    "Path": lambda: Path,
    "hypotheses": targets,
    "references": targets,
    "student": transformer,
    "teacher": transformer,
    "trained_in_mixed_precision": transformer,
    **{
        make.__name__: make
        for make in (
            *(tf, keras, keras_nlp, tfmot, corpus, tokenizer, sources, targets, pairs),
            *(transformer, loss, model, dataset, encoder, texts, translate, translate_n_best),
            *(define_transformer, theseus_transformer, bleu_of, batches, inputs, results, group),
        )
    },
}
# What the same names are for in some modules.
OTHERS = {
    **{
        f"tfcompress.optimization.{name}": {"dataset": translation_dataset}
        for name in ("clustering", "pruning", "quantize_aware")
    },
    "tfcompress.export.marian.writing": {"student": marian_student},
    "tfcompress.text.bergamot_shortlist": {
        "source": student_tokenizer,
        "target": student_tokenizer,
    },
    "tfcompress.training.classification": {"config": config},
    "tfcompress.pipeline.quickstart": {"tfc": with_small_recipes},
    "tfcompress.training.language_modeling": {
        "config": lambda: language_model().config,
        "texts": tokenized_texts,
    },
    "tfcompress.runtime.text_generator": {"model": generator},
    "tfcompress.training.text_distillation": {"student": encoder, "teacher": encoder},
}
