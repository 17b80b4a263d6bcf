"""What the size of a corpus costs: memory, the time to the first update, and the time of a step.

    python benchmarks/streams.py generate --pairs 2000000 --output corpora/2m
    python benchmarks/streams.py multiply --work work/2m --times 18 --output work/36m
    python benchmarks/streams.py measure --corpus corpora/2m --work work/2m --output 2m.json
    python benchmarks/streams.py measure --work work/36m --output 36m.json

`generate` writes pairs of 25 words on average, of 50,000 words in Zipf's proportions and their
"translations". `measure` goes from the text to the first update of a small translator in one
process (cold), once more in another (cached), and then times steps from the cache and from memory
in turns. `multiply` makes a larger cache of copies of one, to measure what does not depend on the
text: a corpus of that size need not be tokenized for it. Memory is the peak of the resident set.
"""

import argparse
import itertools
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from results_file import write_results

WORDS, CHUNK = 50_000, 20_000
LANGUAGES = ("en", "de")
VOCABULARY = 16_000
TOKENIZER, INDEX = "tokenizer.model", "index.json"


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
    options = parser.parse_args()
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
        files = [(options.output / f"{split}.{language}").open("w") for language in LANGUAGES]
        for start in range(0, pairs, CHUNK):
            counts = rng.integers(10, 41, min(CHUNK, pairs - start))
            ids = np.searchsorted(cumulated, rng.random(counts.sum()))
            ends = np.cumsum(counts)
            for file, vocabulary in zip(files, vocabularies):
                text = vocabulary[ids].tolist()
                begin = 0
                for end in ends.tolist():
                    file.write(" ".join(text[begin:end]) + "\n")
                    begin = end
        for file in files:
            file.close()


def multiply(options) -> None:
    from tfcompress.files import replace_file
    from tfcompress.text.token_cache import MANIFEST, TokenCache, part_path

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
    replace_file(options.output / MANIFEST, json.dumps(asdict(larger)).encode())
    shutil.copyfile(options.work / TOKENIZER, options.output / TOKENIZER)


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
    arguments += ["--rounds", str(options.rounds)]
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
    """Opens a corpus, from its text where there is one, up to tokenized pairs."""
    from tfcompress.text import (
        CachedPairs,
        Tokenizer,
        cache_pairs,
        open_corpus,
        train_tokenizer,
    )
    from tfcompress.text.token_cache import TokenCache

    clock.stage("import")
    path = options.work / TOKENIZER
    if options.corpus is None:
        pairs, tokenizer = CachedPairs(TokenCache(options.work)), Tokenizer(path)
        clock.stage("open the cache")
        return pairs, tokenizer
    corpus = open_corpus(
        options.corpus,
        source_language="en",
        target_language="de",
        index=options.work / INDEX,
    )
    sources, targets = corpus.splits["train"]
    corpus.save_index(options.work / INDEX)
    clock.stage("read and check the text")
    if path.exists():
        tokenizer = Tokenizer(path)
    else:
        text = itertools.chain(sources, targets)
        tokenizer = train_tokenizer(text, vocabulary_size=VOCABULARY, path=path)
    clock.stage("tokenizer")
    pairs = cache_pairs(options.work, sources, targets, tokenizer)
    clock.stage("tokenize")
    return pairs, tokenizer


def first(options):
    clock = Clock()
    pairs, tokenizer = load(options, clock)
    from tfcompress.training import TrainingConfig, Validation, train

    clock.stage("import TensorFlow")
    config = TrainingConfig(updates=1, evaluate_every=1, evaluate_sentences=0)
    validation = Validation(["a test"], ["ein test"], tokenizer, tokenizer)
    folder = options.work / "training"
    shutil.rmtree(folder, ignore_errors=True)
    train(model_config(tokenizer), pairs, validation, config, folder, verbose=0, log=len)
    clock.stage("first update, evaluated and saved")
    return clock.result(pairs=len(pairs))


def steps(options):
    """Times steps with batches from the cache and from memory in turns."""
    pairs, tokenizer = load(options, Clock())
    import tensorflow as tf

    from tfcompress.models import Seq2SeqTransformer
    from tfcompress.text import training_dataset
    from tfcompress.training import LabelSmoothedCrossentropy

    settings = {"batch_tokens": 4096, "seed": 1, "max_length": (96, 96)}
    sides = {"cached": pairs}
    if len(pairs) < 5_000_000:
        sides["memory"] = pairs.in_memory()
    iterators = {side: iter(training_dataset(data, **settings)) for side, data in sides.items()}
    model = Seq2SeqTransformer(model_config(tokenizer)).model
    model.compile("adam", LabelSmoothedCrossentropy(0.1, 0))
    step = model.make_train_function()
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
    for side, data in sides.items():  # What the data alone costs, on one thread.
        batches = iter(training_dataset(data, **settings))
        next(batches)
        begin = time.process_time()
        tokens = sum(int(tf.size(next(batches)[1])) for _ in range(100))
        result["batches"][side] = {"milliseconds": (time.process_time() - begin) * 10}
        result["batches"][side]["padded_tokens"] = tokens / 100
    return result


def model_config(tokenizer):
    from tfcompress.models import (
        AttentionConfig,
        EmbeddingConfig,
        FeedForwardConfig,
        Seq2SeqConfig,
        StackConfig,
    )

    stack = StackConfig(
        num_layers=1,
        attention=AttentionConfig(num_heads=2),
        feed_forward=FeedForwardConfig(intermediate_dim=128),
    )
    return Seq2SeqConfig(
        tokenizer.vocabulary_size,
        hidden_dim=64,
        encoder=stack,
        decoder=stack,
        embedding=EmbeddingConfig(share=True),
        max_source_length=96,
        max_target_length=96,
    )


if __name__ == "__main__":
    main()
