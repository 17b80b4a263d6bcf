"""Measures a bundle: latency, throughput, memory.

As a program, `python -m tfcompress.runtime.benchmark BUNDLE [FILE]` reads a sentence a line
from the file or from standard input and prints the figures as JSON. A process of its own is what
makes the peak of memory honest.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import sentencepiece

from tfcompress.errors import InputError
from tfcompress.runtime.bundle import open_bundle
from tfcompress.runtime.encoder_benchmark import benchmark_encoder
from tfcompress.runtime.encoder_bundle import KIND
from tfcompress.runtime.manifest import bundle_kind
from tfcompress.runtime.measuring import (
    latencies,
    load_average,
    peak_rss_bytes,
    rounded,
)
from tfcompress.runtime.translator import Translator
from tfcompress.search_options import MAX_THREADS, SearchOptions, check_count
from tfcompress.text import is_blank, read_lines


def benchmark(
    path: str | os.PathLike,
    sentences: Sequence[str],
    *,
    num_threads: int = 1,
    beam_size: int = 1,
    warmup: int = 2,
    runs: int = 3,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Translates sentences one by one, in their order, and measures it.

    The bundle is verified before the clock starts. Peak memory is that of the whole process, with
    all that it did before, so call this in a fresh process, or run this module as a program.

    Args:
        path: The bundle's folder.
        sentences: What to translate; blank sentences are left out.
        num_threads: Threads that LiteRT may use.
        beam_size: Hypotheses that the search keeps; 1 is greedy search.
        warmup: Passes over the sentences that are not measured.
        runs: Passes over the sentences that are measured.
        progress: Called after each pass with the number done and the number of all.

    Returns:
        A dictionary that JSON can hold:
        `bundle`: the path.
        `device`: "local".
        `threads`, `beam_size`: as given.
        `sentences`: their number.
        `split`: the numbers, from 1, of the sentences that are translated in parts.
        `source_tokens`, `target_tokens`: of one pass, end marks not counted.
        `init_ms`: to load the model and the tokenizers.
        `first_sentence_ms`: of the very first translation, before the warm-up.
        `latency_ms`: `mean`, `p50`, `p90` and `p99` over the sentences of all measured passes.
        `target_tokens_per_s`: over all measured passes.
        `peak_rss_bytes`: the process's peak of resident memory.
        `bundle_bytes`: size of the bundle's files.
        `load_average`: how many processes the machine ran or had waiting in the last minute,
            `before` and `after`; and its `processors`.

    Raises:
        InputError: The bundle is not whole, an option is impossible, or there is no sentence.

    Example:

    >>> benchmark("en-de", ["Two dogs play."])["latency_ms"]["p50"] > 0
    True
    """
    SearchOptions(beam_size)
    check_count("num_threads", num_threads, most=MAX_THREADS)
    lines = [n for n, sentence in enumerate(sentences, start=1) if not is_blank(sentence)]
    sentences = [sentences[number - 1] for number in lines]
    if not sentences:
        raise InputError("no sentences to translate; give at least one that is not blank")
    if warmup < 0 or runs < 1:
        raise InputError(f"warmup={warmup}, runs={runs}; give warmup >= 0 and runs >= 1")
    bundle = open_bundle(path)
    load = load_average()
    begin = time.perf_counter()
    with Translator(path, num_threads=num_threads, verify=False) as translator:
        init = time.perf_counter() - begin

        def measure(sentence):
            begin = time.perf_counter()
            translator.translate(sentence, beam_size=beam_size)
            return time.perf_counter() - begin

        first = measure(sentences[0])
        seconds = []
        for done in range(warmup + runs):
            measured = [measure(sentence) for sentence in sentences]
            if done >= warmup:
                seconds += measured
            if progress is not None:
                progress(done + 1, warmup + runs)
        found = translator.translate(sentences, beam_size=beam_size, return_scores=True)
    tokenizer = sentencepiece.SentencePieceProcessor(model_file=str(bundle.source_tokenizer))
    source_tokens = sum(map(len, tokenizer.encode(sentences)))
    target_tokens = sum(len(hypotheses[0].ids) for hypotheses in found)
    return {
        "bundle": str(path),
        "device": "local",
        "threads": num_threads,
        "beam_size": beam_size,
        "sentences": len(sentences),
        "split": [line for line, hypotheses in zip(lines, found) if hypotheses[0].parts > 1],
        "source_tokens": source_tokens,
        "target_tokens": target_tokens,
        "init_ms": rounded(1000 * init),
        "first_sentence_ms": rounded(1000 * first),
        "latency_ms": latencies(seconds),
        "target_tokens_per_s": rounded(runs * target_tokens / sum(seconds)),
        "peak_rss_bytes": peak_rss_bytes(),
        "bundle_bytes": bundle.size,
        "load_average": {"before": load, "after": load_average()},
        "processors": os.cpu_count(),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the program.

    Args:
        arguments: The command line; that of the process by default.

    Returns:
        The exit code: 0, or 2 after a message about wrong input.
    """
    parser = argparse.ArgumentParser(
        prog="python -m tfcompress.runtime.benchmark",
        description="Measures a bundle and prints the figures as JSON.",
    )
    parser.add_argument("bundle", help="the bundle's folder")
    parser.add_argument("file", nargs="?", default="-", help="a sentence a line; '-' for stdin")
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
        sentences = read_lines("/dev/stdin" if file == "-" else file)
        measure = benchmark
        if bundle_kind(bundle) == KIND:
            measure = benchmark_encoder
            if options.pop("beam_size") != 1:
                raise InputError(f"{bundle}: is a text encoder, which has no beam; leave it out")
        print(json.dumps(measure(bundle, sentences, **options), indent=2))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _wait(*passes):
    print(flush=True)
    if not sys.stdin.readline():
        raise InputError("nobody says when to go on")


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # LiteRT logs the end of its environment if the process ends in the ordinary way.
    os._exit(code)
