"""Measures a bundle: latency, throughput, memory.

As a program, `python -m tfcompress.runtime.benchmark BUNDLE [FILE]` reads a text a line
from the file or from standard input and prints the metrics as JSON. A process of its own is what
makes the peak of memory honest.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from tfcompress.errors import InputError
from tfcompress.runtime.language_model_benchmark import LanguageModelBenchmark
from tfcompress.runtime.language_model_bundle import LanguageModelBundle
from tfcompress.runtime.measuring import latencies, load_average, peak_rss_bytes, rounded
from tfcompress.runtime.opening import open_bundle
from tfcompress.runtime.text_encoder_benchmark import TextEncoderBenchmark
from tfcompress.runtime.text_encoder_bundle import TextEncoderBundle
from tfcompress.runtime.translation_benchmark import TranslationBenchmark
from tfcompress.runtime.translation_bundle import TranslationBundle
from tfcompress.search_options import MAX_THREADS, SearchOptions, check_count
from tfcompress.text import is_blank, read_lines

_BENCHMARKS = {
    TranslationBundle: TranslationBenchmark,
    TextEncoderBundle: TextEncoderBenchmark,
    LanguageModelBundle: LanguageModelBenchmark,
}


def benchmark(
    path: str | os.PathLike,
    texts: Sequence[str],
    *,
    num_threads: int = 1,
    beam_size: int = 1,
    warmup: int = 2,
    runs: int = 3,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Translates or encodes texts one by one, in their order, and measures it.

    The bundle is verified before the clock starts. Peak memory is that of the whole process, with
    all that it did before, so call this in a fresh process, or run this module as a program.

    Args:
        path: The bundle's folder.
        texts: What to translate or encode; blank texts are left out, and those beyond the limit
            translated in parts, or cut.
        num_threads: Threads that LiteRT may use.
        beam_size: Hypotheses that a translation's search keeps; 1 is greedy search, and what a text
            encoder takes.
        warmup: Passes over the texts that are not measured.
        runs: Passes over the texts that are measured.
        progress: Called after each pass with the number done and the number of all.

    Returns:
        A dictionary that JSON can hold:
        `bundle`: the path.
        `device`: "local".
        `runtime`: "native" or "python".
        `threads`: as received.
        `texts`: their number.
        `overlong`: the numbers, from 1, of those beyond the limit.
        `init_ms`: to load the model and the tokenizers.
        `first_text_ms`: of the very first text, before the warm-up.
        `latency_ms`: `mean`, `p50`, `p90` and `p99` over the texts of all measured passes, from the
            text to the result.
        `peak_rss_bytes`: the process's peak of resident memory.
        `bundle_bytes`: size of the bundle's files.
        `load_average`: how many processes the machine ran or had waiting in the last minute,
            `before` and `after`; and its `processors`.
        Of a translation model also `beam_size`; `source_tokens` and `target_tokens` of one pass,
        end marks not counted; and `target_tokens_per_s` over all measured passes. Of a text encoder
        `tokens` of one pass, begin and end counted; `tokens_per_s`; and `length_ms`, the median
        time of the model alone on as many tokens as each key says.

    Raises:
        InputError: The bundle is incomplete or has no tokenizer, an option is impossible, or there
            is no text.

    Example:

    >>> benchmark("en-de", ["Two dogs play."])["latency_ms"]["p50"] > 0
    True
    """
    SearchOptions(beam_size)
    check_count("num_threads", num_threads, most=MAX_THREADS)
    lines = [n for n, text in enumerate(texts, start=1) if not is_blank(text)]
    texts = [texts[number - 1] for number in lines]
    if not texts:
        raise InputError(
            "There must be texts. Received: none. Give at least one that is not blank."
        )
    if warmup < 0 or runs < 1:
        raise InputError(
            f"`warmup` must be at least 0, and `runs` 1. Received: warmup={warmup}, runs={runs}."
        )
    bundle = open_bundle(path)
    if type(bundle) not in _BENCHMARKS:
        raise InputError(
            "A bundle to measure must be that of a translation model or a text encoder. Received: "
            f"{path} with model_type={bundle.model_type!r}."
        )
    task = _BENCHMARKS[type(bundle)](beam_size)
    load = load_average()
    begin = time.perf_counter()
    with task.model_class(path, num_threads=num_threads, verify=False) as model:
        init = time.perf_counter() - begin
        first = _seconds(task, model, texts[0])
        seconds = []
        for done in range(warmup + runs):
            measured = [_seconds(task, model, text) for text in texts]
            if done >= warmup:
                seconds += measured
            if progress is not None:
                progress(done + 1, warmup + runs)
        overlong, metrics = task.metrics(model, texts, runs, sum(seconds))
    return {
        "bundle": str(path),
        "device": "local",
        "runtime": "native" if model.is_native else "python",
        "threads": num_threads,
        "texts": len(texts),
        "overlong": [lines[index] for index in overlong],
        "init_ms": rounded(1000 * init),
        "first_text_ms": rounded(1000 * first),
        "latency_ms": latencies(seconds),
        **metrics,
        "peak_rss_bytes": peak_rss_bytes(),
        "bundle_bytes": bundle.size,
        "load_average": {"before": load, "after": load_average()},
        "processors": os.cpu_count(),
    }


def _seconds(task, model, text):
    begin = time.perf_counter()
    task.compute(model, text)
    return time.perf_counter() - begin


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the program.

    Args:
        arguments: The command line; that of the process by default.

    Returns:
        The exit code: 0, or 2 after a message about wrong input.
    """
    parser = argparse.ArgumentParser(
        prog="python -m tfcompress.runtime.benchmark",
        description="Measures a bundle and prints the metrics as JSON.",
    )
    parser.add_argument("bundle", help="the bundle's folder")
    parser.add_argument("file", nargs="?", default="-", help="a text a line; '-' for stdin")
    parser.add_argument("--num-threads", type=int, default=1)
    parser.add_argument("--beam-size", type=int, default=1)
    parser.add_argument("--warmup", type=int, default=2, help="passes that are not measured")
    parser.add_argument("--runs", type=int, default=3, help="passes that are measured")
    parser.add_argument(
        "--in-turns",
        action="store_true",
        help="print an empty line and wait for one on standard input before each pass",
    )
    options = vars(parser.parse_args(arguments))
    try:
        if options.pop("in_turns"):
            _wait()
            options["progress"] = _wait
        bundle, file = options.pop("bundle"), options.pop("file")
        texts = read_lines("/dev/stdin" if file == "-" else file)
        print(json.dumps(benchmark(bundle, texts, **options), indent=2))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _wait(*passes):
    print(flush=True)
    if not sys.stdin.readline():
        raise InputError("The process must be told when to go on. Received: no line.")


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # LiteRT logs the end of its environment if the process ends in the ordinary way.
    os._exit(code)
