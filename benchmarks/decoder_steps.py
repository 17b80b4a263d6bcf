"""Steps and bytes of decoders with SSRU or averaged attention, next to self-attention.

    tfcompress build-native
    python benchmarks/decoder_steps.py --output benchmarks/results/decoder_steps.json

Random weights, int8, native runtime, one thread, one hypothesis; a step is a forced target's time
divided by its tokens, output layer and the encoding of 8 tokens by one layer included. Rounds of
all bundles alternate; figures are medians of the rounds' ratios to self-attention.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from results_file import write_results

from tfcompress.custom_ops.names import DECODER, RECURRENT_DECODER
from tfcompress.export import convert
from tfcompress.models import (
    AttentionConfig,
    AveragedAttentionConfig,
    EmbeddingConfig,
    FeedForwardConfig,
    Seq2SeqConfig,
    Seq2SeqTransformer,
    SSRUConfig,
    StackConfig,
)
from tfcompress.runtime import open_bundle, open_engine

MIXERS = {
    "self-attention": AttentionConfig(8),
    "SSRU": SSRUConfig(8),
    "averaged attention": AveragedAttentionConfig(8, intermediate_dim=None),
}
OPERATIONS = {"builtin": (), "custom": (DECODER, RECURRENT_DECODER)}
LENGTHS = (16, 64, 200)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--vocabulary", type=int, default=8000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            row
            for operations in OPERATIONS
            for row in measure(operations, Path(folder), options.vocabulary, options.rounds)
        ]
    write_results(options.output, {"vocabulary": options.vocabulary, "rows": rows})


def measure(operations: str, folder: Path, vocabulary: int, rounds: int) -> list[dict]:
    """Times all mixers in turns."""
    engines, rows = {}, []
    for name, mixer in MIXERS.items():
        path = folder / f"{name} {operations}"
        convert(make(mixer, vocabulary), path, custom_ops=list(OPERATIONS[operations]))
        engines[name] = open_engine(open_bundle(path), native=True, num_threads=1)
    rng = np.random.default_rng(0)
    source = rng.integers(4, vocabulary, 8).tolist()
    for length in LENGTHS:
        target = rng.integers(4, vocabulary, length).tolist()
        times = {name: [] for name in engines}
        for _ in range(rounds + 1):
            for name, engine in engines.items():
                start = time.perf_counter()
                engine.logits(source, target)
                times[name].append((time.perf_counter() - start) / length)
        base = np.array(times["self-attention"][1:])
        for name, seconds in times.items():
            rows.append(
                {
                    "mixer": name,
                    "operations": operations,
                    "positions": length,
                    "step_us": round(float(np.median(seconds[1:])) * 1e6, 1),
                    "ratio": round(float(np.median(np.array(seconds[1:]) / base)), 3),
                    "model_bytes": (folder / f"{name} {operations}" / "model.tflite")
                    .stat()
                    .st_size,
                }
            )
            print(rows[-1], flush=True)
    return rows


def make(mixer, vocabulary: int) -> Seq2SeqTransformer:
    """A student's decoder: width 256, feed-forward 1536, 2 layers."""
    feed_forward = FeedForwardConfig(1536)
    return Seq2SeqTransformer(
        Seq2SeqConfig(
            vocabulary,
            hidden_dim=256,
            encoder=StackConfig(1, attention=AttentionConfig(8), feed_forward=feed_forward),
            decoder=StackConfig(2, attention=mixer, feed_forward=feed_forward),
            embedding=EmbeddingConfig(share=True),
        )
    )


if __name__ == "__main__":
    main()
