"""What the size of a corpus costs: memory, the time to the first update, and the time of a step.

    python benchmarks/streams.py generate --pairs 2000000 --output corpora/2m
    python benchmarks/streams.py multiply --work work/2m --times 18 --output work/36m
    python benchmarks/streams.py measure --corpus corpora/2m --work work/2m --output 2m.json
    python benchmarks/streams.py measure --work work/36m --output 36m.json

`generate` writes texts of 25 words on average, of 50,000 words in Zipf's proportions, and their
"translations" or, with `--task text_encoder`, their labels. `measure` goes from the text to the
first update of a small model in one process (cold), once more in another (cached), and then times
steps from the cache and from memory in turns; `--task` says which model: a translator, a language
model (whose rows are joined texts) or a text encoder. `multiply` makes a larger cache of copies of
one, to measure what does not depend on the text: a corpus of that size need not be tokenized for
it. Memory is the peak of the resident set.
"""

import argparse
import itertools
import json
import os
import resource
import shutil
import statistics
import string
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from results_file import write_results

WORDS, CHUNK = 50_000, 20_000
LANGUAGES = ("en", "de")
VOCABULARY = 16_000
TOKENIZER, INDEX = "tokenizer.model", "index.json"
BATCHES = {"batch_tokens": 4096, "seed": 1}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    generating = commands.add_parser("generate", help="write a corpus")
    generating.add_argument("--pairs", type=int, required=True)
    generating.add_argument("--output", type=Path, required=True)
    multiplying = commands.add_parser("multiply", help="make a cache of copies of another")
    multiplying.add_argument("--work", type=Path, required=True)
    multiplying.add_argument("--times", type=int, required=True)
    multiplying.add_argument("--output", type=Path, required=True)
    measuring = commands.add_parser("measure", help="measure cold, cached and steps")
    measuring.add_argument("--corpus", type=Path, help="left out for a multiplied cache")
    measuring.add_argument("--work", type=Path, required=True, help="folder of the cache")
    measuring.add_argument("--output", type=Path, required=True, help="JSON file to write")
    measuring.add_argument("--rounds", type=int, default=9)
    for name in ("first", "steps"):  # What `measure` runs in processes of their own.
        part = commands.add_parser(name)
        part.add_argument("--corpus", type=Path)
        part.add_argument("--work", type=Path, required=True)
        part.add_argument("--rounds", type=int, default=0)
    for name in ("generate", "measure", "first", "steps"):
        commands.choices[name].add_argument("--task", choices=TASKS, default="translation")
    options = parser.parse_args()
    options.task = TASKS[getattr(options, "task", "translation")]
    result = globals()[options.command](options)
    if result is not None:
        print(json.dumps(result))


def generate(options) -> None:
    rng = np.random.default_rng(0)
    letters = np.array([*"eeeetttaaaooiinnsshhrrdlucmfwypvbgkjqxz"])
    lengths = rng.integers(2, 9, WORDS)
    words = ["".join(rng.choice(letters, length)) for length in lengths]
    other = str.maketrans("aeioutnsrhldc", "eioaudmzlgrtk")
    vocabularies = np.array(words), np.array([word.translate(other) + "en" for word in words])
    shares = 1 / np.arange(1, WORDS + 1)
    cumulated = np.cumsum(shares / shares.sum())
    options.output.mkdir(parents=True, exist_ok=True)
    for split, pairs in (("train", options.pairs), ("valid", 100), ("test", 100)):
        names = options.task.files(split)
        files = [(options.output / name).open("w") for name in names]
        for start in range(0, pairs, CHUNK):
            counts = rng.integers(10, 41, min(CHUNK, pairs - start))
            ids = np.searchsorted(cumulated, rng.random(counts.sum()))
            ends = np.cumsum(counts)
            for file, vocabulary in zip(files, vocabularies):
                text = vocabulary[ids].tolist()
                begin = 0
                for end in ends.tolist():
                    file.write(options.task.line(" ".join(text[begin:end]), ids[begin]))
                    begin = end
        for file in files:
            file.close()


def multiply(options) -> None:
    from tfcompress.text.token_cache import TokenCache, part_path, write_manifest

    content = TokenCache(options.work).content
    whole = len(content.part_bytes) - 1  # The last part may have fewer chunks.
    chunks = content.chunks[: 16 * whole]
    options.output.mkdir(parents=True, exist_ok=True)
    for number in range(whole * options.times):
        shutil.copyfile(part_path(options.work, number % whole), part_path(options.output, number))
    larger = replace(
        content,
        chunks=chunks * options.times,
        part_bytes=content.part_bytes[:whole] * options.times,
    )
    write_manifest(options.output, larger)
    for name in (TOKENIZER, "vocab.txt"):
        if (options.work / name).exists():
            shutil.copyfile(options.work / name, options.output / name)


def measure(options) -> None:
    figures = {"load_average_before": os.getloadavg()}
    if options.corpus is not None:
        shutil.rmtree(options.work, ignore_errors=True)
        figures["cold"] = in_process("first", options)
    figures["cached"] = in_process("first", options)
    if options.rounds:
        figures["steps"] = in_process("steps", options)
    write_results(options.output, figures | {"load_average_after": os.getloadavg()})


def in_process(command, options):
    arguments = [sys.executable, __file__, command, "--work", str(options.work)]
    arguments += ["--rounds", str(options.rounds), "--task", options.task.name]
    arguments += [] if options.corpus is None else ["--corpus", str(options.corpus)]
    output = subprocess.run(arguments, check=True, stdout=subprocess.PIPE, text=True).stdout
    result = json.loads(output.splitlines()[-1])
    print(command, json.dumps(result, indent=2), flush=True)
    return result


class Clock:
    """Seconds by the clock and of the processors, since the start and by stage."""

    def __init__(self):
        self.stages = {}
        self._last = self._now()

    def _now(self):
        return time.monotonic(), time.process_time()

    def stage(self, name):
        now = self._now()
        wall, processor = (b - a for a, b in zip(self._last, now))
        self.stages[name] = {
            "seconds": round(wall, 2),
            "processor_seconds": round(processor, 2),
            "peak_rss_bytes": peak_rss(),
        }
        self._last = now

    def result(self, **others):
        total = {key: round(sum(s[key] for s in self.stages.values()), 2) for key in TOTALS}
        return {**others, **total, "peak_rss_bytes": peak_rss(), "stages": self.stages}


def peak_rss():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


TOTALS = ("seconds", "processor_seconds")


def load(options, clock):
    """Opens a corpus, from its text where there is one, up to tokenized examples."""
    import tfcompress.text  # noqa: F401

    clock.stage("import")
    task, work = options.task, options.work
    if options.corpus is None:
        from tfcompress.text.token_cache import TokenCache

        tokenizer = task.tokenizer(work)
        data = task.cached(TokenCache(work), tokenizer)
        clock.stage("open the cache")
        return data, tokenizer
    corpus = task.open(options.corpus, work / INDEX)
    work.mkdir(parents=True, exist_ok=True)
    corpus.save_index(work / INDEX)
    clock.stage("read and check the text")
    columns = corpus.splits["train"]
    tokenizer = task.tokenizer(work, columns)
    clock.stage("tokenizer")
    data = task.cache(work, columns, tokenizer)
    clock.stage("tokenize")
    return data, tokenizer


def first(options):
    clock = Clock()
    data, tokenizer = load(options, clock)
    from tfcompress.training import TrainingConfig

    clock.stage("import TensorFlow")
    folder = options.work / "training"
    shutil.rmtree(folder, ignore_errors=True)
    config = TrainingConfig(updates=1, evaluate_every=1, **options.task.training)
    options.task.train(data, tokenizer, config, folder)
    clock.stage("first update, evaluated and saved")
    return clock.result(examples=len(data))


def steps(options):
    """Times steps with batches from the cache and from memory in turns."""
    data, tokenizer = load(options, Clock())
    import tensorflow as tf

    sides = {"cached": data}
    if len(data) < 5_000_000:
        sides["memory"] = data.in_memory()
    datasets = {side: options.task.dataset(examples) for side, examples in sides.items()}
    iterators = {side: iter(dataset) for side, dataset in datasets.items()}
    step = options.task.compiled(tokenizer).make_train_function()
    for iterator in iterators.values():
        step(iterator)
    times = {side: [] for side in sides}
    for _ in range(options.rounds):
        for side, iterator in iterators.items():
            begin = time.monotonic()
            for _ in range(4):
                step(iterator)
            times[side].append((time.monotonic() - begin) / 4)
    result = {f"{side}_step_seconds": statistics.median(taken) for side, taken in times.items()}
    if "memory" in times:
        ratios = [a / b for a, b in zip(times["cached"], times["memory"])]
        result["cached / memory"] = statistics.median(ratios)
    result["batches"] = {}
    for side, dataset in datasets.items():  # What the data alone costs, on one thread.
        batches = iter(dataset)
        next(batches)
        begin = time.process_time()
        ids = (tf.nest.flatten(next(batches))[0] for _ in range(100))
        tokens = sum(int(tf.size(one)) for one in ids)
        result["batches"][side] = {"milliseconds": (time.process_time() - begin) * 10}
        result["batches"][side]["padded_tokens"] = tokens / 100
    return result


class Translation:
    """A small translator."""

    name = "translation"
    training = {"evaluate_sentences": 0}

    @staticmethod
    def files(split):
        return [f"{split}.{language}" for language in LANGUAGES]

    @staticmethod
    def line(text, word):
        return f"{text}\n"

    @staticmethod
    def open(corpus, index):
        from tfcompress.text import open_corpus

        return open_corpus(corpus, source_language="en", target_language="de", index=index)

    @staticmethod
    def tokenizer(work, columns=None):
        return sentencepiece(work, columns)

    @staticmethod
    def cache(work, columns, tokenizer):
        from tfcompress.text import cache_pairs

        return cache_pairs(work, *columns, tokenizer)

    @staticmethod
    def cached(cache, tokenizer):
        from tfcompress.text import CachedPairs

        return CachedPairs(cache)

    @staticmethod
    def dataset(pairs):
        from tfcompress.text import training_dataset

        return training_dataset(pairs, max_length=(96, 96), **BATCHES)

    @staticmethod
    def config(tokenizer):
        from tfcompress.models import EmbeddingConfig, Seq2SeqConfig

        return Seq2SeqConfig(
            tokenizer.vocabulary_size,
            hidden_dim=64,
            encoder=stack(),
            decoder=stack(),
            embedding=EmbeddingConfig(share=True),
            max_source_length=96,
            max_target_length=96,
        )

    @classmethod
    def train(cls, pairs, tokenizer, config, folder):
        from tfcompress.training import Validation, train

        validation = Validation(["a test"], ["ein test"], tokenizer, tokenizer)
        train(cls.config(tokenizer), pairs, validation, config, folder, verbose=0, log=len)

    @classmethod
    def compiled(cls, tokenizer):
        from tfcompress.models import Seq2SeqTransformer

        return compiled(Seq2SeqTransformer(cls.config(tokenizer)).model)


class LanguageModeling:
    """A small language model; its rows are joined texts."""

    name = "language_model"
    training = {}
    rows = {"max_length": 128, "join": True}

    files = staticmethod(lambda split: [f"{split}.txt"])
    line = staticmethod(Translation.line)
    dataset = staticmethod(lambda texts: texts.training_dataset(**BATCHES))

    @staticmethod
    def open(corpus, index):
        from tfcompress.text import open_text_corpus

        return open_text_corpus(corpus, index=index)

    @staticmethod
    def tokenizer(work, columns=None):
        return sentencepiece(work, columns and columns[:1])

    @classmethod
    def cache(cls, work, columns, tokenizer):
        from tfcompress.text import cache_texts

        return cache_texts(work, columns[0], tokenizer, **cls.rows)

    @classmethod
    def cached(cls, cache, tokenizer):
        from tfcompress.text import CachedTexts

        return CachedTexts(cache, **cls.rows)

    @staticmethod
    def config(tokenizer):
        from tfcompress.models import LanguageModelConfig

        size = tokenizer.vocabulary_size
        return LanguageModelConfig(size, hidden_dim=64, max_length=128, decoder=stack())

    @classmethod
    def train(cls, texts, tokenizer, config, folder):
        from tfcompress.text import TokenizedTexts
        from tfcompress.training import train_language_model

        validation = TokenizedTexts.from_corpus(tokenizer, ["a test"], **cls.rows)
        model = cls.config(tokenizer)
        train_language_model(model, texts, validation, config, folder, verbose=0, log=len)

    @classmethod
    def compiled(cls, tokenizer):
        from tfcompress.models import LanguageModel

        return compiled(LanguageModel(cls.config(tokenizer)).model)


class Classification:
    """A small text encoder that classifies."""

    name = "text_encoder"
    training = {}

    files = staticmethod(lambda split: [f"{split}.tsv"])
    line = staticmethod(lambda text, word: f"{text}\t{word % 2}\n")
    dataset = LanguageModeling.dataset

    @staticmethod
    def open(corpus, index):
        from tfcompress.text import open_labelled_corpus

        return open_labelled_corpus(corpus, index=index)

    @staticmethod
    def tokenizer(work, columns=None):
        from tfcompress.text import load_text_tokenizer

        path = work / "vocab.txt"
        if not path.exists():
            words = Counter(word for text in columns[0][:20_000] for word in text.split())
            letters = [
                f"{mark}{letter}" for letter in string.ascii_lowercase for mark in ("", "##")
            ]
            pieces = [*["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], *letters]
            pieces += [word for word, _ in words.most_common(VOCABULARY) if word not in letters]
            path.write_text("".join(f"{piece}\n" for piece in pieces[:VOCABULARY]))
        return load_text_tokenizer(work)

    @staticmethod
    def cache(work, columns, tokenizer):
        from tfcompress.text import cache_labelled_texts

        return cache_labelled_texts(work, *columns, tokenizer, max_length=128)

    @staticmethod
    def cached(cache, tokenizer):
        from tfcompress.text import CachedLabelledTexts

        return CachedLabelledTexts(cache, max_length=128, pad_id=tokenizer.pad_id)

    @staticmethod
    def config(tokenizer):
        from tfcompress.models import HeadConfig, TextEncoderConfig

        return TextEncoderConfig(
            tokenizer.vocabulary_size,
            hidden_dim=64,
            max_length=128,
            encoder=stack(),
            token_types=0,
            head=HeadConfig(num_classes=2),
        )

    @classmethod
    def train(cls, texts, tokenizer, config, folder):
        from tfcompress.text import LabelledTexts
        from tfcompress.training import train_classifier

        validation = LabelledTexts(tokenizer, ["a test", "the"], [0, 1], max_length=128)
        model = cls.config(tokenizer)
        train_classifier(model, texts, validation, config, folder, verbose=0, log=len)

    @classmethod
    def compiled(cls, tokenizer):
        from tensorflow import keras

        from tfcompress.models import TextEncoder

        encoder = TextEncoder(cls.config(tokenizer)).model
        model = keras.Model(encoder.inputs, encoder.output["logits"])
        model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        return model


TASKS = {task.name: task for task in (Translation, LanguageModeling, Classification)}


def sentencepiece(work, columns):
    """Returns the tokenizer of a working folder, trained on the columns if need be."""
    from tfcompress.text import Tokenizer, train_tokenizer

    path = work / TOKENIZER
    if path.exists():
        return Tokenizer(path)
    text = itertools.chain(*columns)
    return train_tokenizer(text, vocabulary_size=VOCABULARY, path=path)


def stack():
    from tfcompress.models import AttentionConfig, FeedForwardConfig, StackConfig

    return StackConfig(
        num_layers=1,
        attention=AttentionConfig(num_heads=2),
        feed_forward=FeedForwardConfig(intermediate_dim=128),
    )


def compiled(model):
    from tfcompress.training import LabelSmoothedCrossentropy

    model.compile("adam", LabelSmoothedCrossentropy(0.1, 0))
    return model


if __name__ == "__main__":
    main()
