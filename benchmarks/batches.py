"""Speed of batches next to one sentence at a time: the same sentences, one run.

    python benchmarks/batches.py --output benchmarks/results/batches.json

Bundles of a preset with random weights in int8, with its decoder as one custom operation and with
LiteRT's own operations, 1 thread, native runtime, whole translations with the encoder included.
Rounds of the batch sizes alternate; metrics are medians over the rounds, and ratios those within a
round. Sentences have random tokens, 8 to 32 of them, or as many each where `--length` says so.
"""

import argparse
import json
import os
import tempfile
from functools import partial
from pathlib import Path

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import numpy as np
from results_file import write_results
from rounds import median, speeds_in_turns

from tfcompress.export import convert
from tfcompress.models import load_preset
from tfcompress.runtime import Translator
from tfcompress.text import Shortlist

# With random tokens, each source id gives the list as many of its own as real text does.
LISTED, COMMON = 20, 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", type=Path, help="JSON file to write")
    parser.add_argument("--preset", default="student_tiny")
    parser.add_argument("--bundles", type=Path, help="folder to keep the bundles in")
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--beam-sizes", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--operations", nargs="+", default=["custom", "shortlist", "builtin"])
    parser.add_argument("--length", type=int, help="tokens of every sentence")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sentences", type=int, default=64, help="sentences of a round")
    parser.add_argument("--max-length", type=int, default=30, help="tokens of a translation")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(options, options.bundles or Path(folder))
    if options.output:
        write_results(options.output, {"rows": rows})


def measure(options, folder) -> list[dict]:
    rows = []
    for operations in options.operations:
        with Translator(bundle(options.preset, operations, folder)) as translator:
            rng = np.random.default_rng(0)
            size = translator.bundle.source_vocabulary
            lengths = rng.integers(8, 33, options.sentences)
            if options.length is not None:
                lengths[:] = options.length
            sentences = [rng.integers(4, size, length).tolist() for length in lengths]
            for beam_size in options.beam_sizes:
                search = {"beam_size": beam_size, "max_length": options.max_length}
                rows += compare(translator, sentences, search, options, operations)
    return rows


def bundle(preset, operations, folder) -> Path:
    """Makes the bundle, unless it is there."""
    path = folder / f"{preset}_{operations}"
    if not path.exists():
        model = load_preset(preset)
        shortlist = some_shortlist(model.config) if operations == "shortlist" else None
        convert(
            model,
            path,
            custom_ops=operations != "builtin",
            shortlist=shortlist,
            samples=[[5, 6, 2]],
        )
    return path


def some_shortlist(config) -> Shortlist:
    """A list of random tokens."""
    sizes = [*config.vocabulary_sizes.values()]
    rng = np.random.default_rng(1)
    common = np.sort(rng.choice(np.arange(3, sizes[1]), COMMON, replace=False))
    offsets = np.arange(0, LISTED * sizes[0] + 1, LISTED)
    own = rng.integers(3, sizes[1], (sizes[0], LISTED))
    parts = [np.sort(row) for row in own]
    always = np.array([config.eos_id, *common], np.int32)
    translations = np.concatenate(parts).astype(np.int32)
    return Shortlist(always, offsets.astype(np.int32), translations, sizes[1])


def compare(translator, sentences, search, options, operations) -> list[dict]:
    """Times the batch sizes in alternating rounds."""

    def run(batch_size):
        return sum(map(len, translator.translate_ids(sentences, batch_size=batch_size, **search)))

    runs = {str(size): partial(run, size) for size in options.batch_sizes}
    speeds = speeds_in_turns(runs, options.rounds)
    first = speeds[str(options.batch_sizes[0])]
    rows = []
    for batch_size in options.batch_sizes:
        own = speeds[str(batch_size)]
        row = {
            "preset": options.preset,
            "operations": operations,
            "runtime": "native" if translator.is_native else "python",
            "beam_size": search["beam_size"],
            "batch_size": batch_size,
            "tokens_per_s": median(own),
            "ratio": median(own / first, 2),
        }
        print(json.dumps(row), flush=True)
        rows.append(row)
    return rows


if __name__ == "__main__":
    main()
