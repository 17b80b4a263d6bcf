"""Speed and memory next to fxtranslate, Mozilla's engine: the same weights and sentences, one run.

    taskset -c 1 python benchmarks/vs_fxtranslate.py --output benchmarks/results/vs_fxtranslate.json

Both in 8 bits, from one file: what `tfcompress.export.to_marian` writes of a student with random
weights is read again for the bundle, so that the integers are the same. Each engine is a process
of its own, pinned to the same core, that translates whole sentences as text, one at a time, to the
same limit. Rounds of the engines alternate; words are those of the source, metrics medians over
the rounds, ratios those within a round. Peak memory is that of the process, what Python and its
imports take before the engine is opened beside it. fxtranslate has kernels for AVX2, so tfcompress
is measured at full level and, by TFCOMPRESS_LEVEL, at that one; what XNNPACK computes for it (the
encoder, and the output without a shortlist) has no such bound.

A run that was interrupted goes on with the rows that its file lacks; `--files` keeps the students.
"""

from compare_engines import arguments, compare_all
from engine_process import Engine

ENGINES = {
    "tfcompress": Engine("tfcompress"),
    "tfcompress_avx2": Engine("tfcompress", environment={"TFCOMPRESS_LEVEL": "avx2"}),
    "fxtranslate": Engine("fxtranslate"),
}

if __name__ == "__main__":
    parser = arguments(
        __doc__, students=("tiny", "base_memory", "base"), decoders=("ssru",), batch_sizes=(1,)
    )
    compare_all(parser.parse_args(), {"ssru": ENGINES})
