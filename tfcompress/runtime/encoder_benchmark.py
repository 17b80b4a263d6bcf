"""Measures the bundle of a text encoder: latency, throughput, memory."""

import os
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tfcompress.errors import InputError
from tfcompress.runtime.encoder_bundle import open_encoder_bundle
from tfcompress.runtime.measuring import (
    latencies,
    load_average,
    peak_rss_bytes,
    rounded,
)
from tfcompress.runtime.text_model import TextModel
from tfcompress.search_options import MAX_THREADS, check_count
from tfcompress.text import is_blank

LENGTHS = (8, 32, 128)
# A length is timed for so long, and so often at least.
_SECONDS, _LEAST_RUNS = 0.5, 10


def benchmark_encoder(
    path: str | os.PathLike,
    texts: Sequence[str],
    *,
    num_threads: int = 1,
    warmup: int = 2,
    runs: int = 3,
    lengths: Sequence[int] = LENGTHS,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Encodes texts one by one, in their order, and measures it.

    The bundle is verified before the clock starts. Peak memory is that of the whole process, with
    all that it did before, so call this in a fresh process, or run the module
    `tfcompress.runtime.benchmark` as a program.

    Args:
        path: The bundle's folder.
        texts: What to encode; blank texts are left out, and texts beyond the limit cut.
        num_threads: Threads that LiteRT may use.
        warmup: Passes over the texts that are not measured.
        runs: Passes over the texts that are measured.
        lengths: Lengths in tokens to time the model alone at; those beyond the limit are left out.
        progress: Called after each pass with the number done and the number of all.

    Returns:
        A dictionary that JSON can hold:
        `bundle`: the path.
        `device`: "local".
        `runtime`: "native" or "python".
        `threads`: as given.
        `texts`: their number.
        `cut`: how many of them are cut.
        `tokens`: of one pass, begin and end counted.
        `init_ms`: to load the model and the tokenizer.
        `first_text_ms`: of the very first text, before the warm-up.
        `latency_ms`: `mean`, `p50`, `p90` and `p99` over the texts of all measured passes, from the
            text to the result.
        `tokens_per_s`: over all measured passes.
        `length_ms`: the median time of the model alone on as many tokens as each key says.
        `peak_rss_bytes`: the process's peak of resident memory.
        `bundle_bytes`: size of the bundle's files.
        `load_average`: how many processes the machine ran or had waiting in the last minute,
            `before` and `after`; and its `processors`.

    Raises:
        InputError: The bundle is not whole or has no tokenizer, an option is impossible, or there
            is no text.

    Example:

    >>> benchmark_encoder("sentiment", ["A gripping film."])["latency_ms"]["p50"]
    0.6
    """
    check_count("num_threads", num_threads, most=MAX_THREADS)
    texts = [text for text in texts if not is_blank(text)]
    if not texts:
        raise InputError("no texts to encode; give at least one that is not blank")
    if warmup < 0 or runs < 1:
        raise InputError(f"warmup={warmup}, runs={runs}; give warmup >= 0 and runs >= 1")
    bundle = open_encoder_bundle(path)
    load = load_average()
    begin = time.perf_counter()
    with TextModel(path, num_threads=num_threads, verify=False) as model:
        init = time.perf_counter() - begin

        def measure(text):
            begin = time.perf_counter()
            model.encode(text, overlong="cut")
            return time.perf_counter() - begin

        first = measure(texts[0])
        seconds = []
        for done in range(warmup + runs):
            measured = [measure(text) for text in texts]
            if done >= warmup:
                seconds += measured
            if progress is not None:
                progress(done + 1, warmup + runs)
        counts = [len(ids) for ids in model.tokenize(texts)]
        tokens = sum(min(count, bundle.max_length) for count in counts)
        length_ms = {
            str(length): _milliseconds(model, length)
            for length in lengths
            if length <= bundle.max_length
        }
        runtime = "native" if model.is_native else "python"
    return {
        "bundle": str(path),
        "device": "local",
        "runtime": runtime,
        "threads": num_threads,
        "texts": len(texts),
        "cut": sum(count > bundle.max_length for count in counts),
        "tokens": tokens,
        "init_ms": rounded(1000 * init),
        "first_text_ms": rounded(1000 * first),
        "latency_ms": latencies(seconds),
        "tokens_per_s": rounded(runs * tokens / sum(seconds)),
        "length_ms": length_ms,
        "peak_rss_bytes": peak_rss_bytes(),
        "bundle_bytes": bundle.size,
        "load_average": {"before": load, "after": load_average()},
        "processors": os.cpu_count(),
    }


def _milliseconds(model, length):
    """The median time of the model on some ids."""
    words = np.delete(np.arange(model.bundle.vocabulary), model.bundle.pad)
    ids = np.random.default_rng(0).choice(words, size=length).tolist()
    model.run([ids])
    seconds, end = [], time.perf_counter() + _SECONDS
    while len(seconds) < _LEAST_RUNS or time.perf_counter() < end:
        begin = time.perf_counter()
        model.run([ids])
        seconds.append(time.perf_counter() - begin)
    return rounded(1000 * np.median(seconds))
