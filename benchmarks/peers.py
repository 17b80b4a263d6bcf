"""Speed and memory next to the engines that translate on CPUs: one run, one core, in turns.

    taskset -c 1 python benchmarks/peers.py --bergamot-python PYTHON \
        --output benchmarks/results/peers.json

Students with random weights, 8 bits, whole sentences as text, greedy search. With an SSRU: the same
file of weights in tfcompress, Bergamot and fxtranslate. With self-attention: the same weights in
tfcompress, CTranslate2 and ONNX Runtime, each quantized by its own converter. All sentences and all
translations are of one length, so that batches have no padding and every engine computes equally
many tokens. Each engine is a process of its own, pinned to the same core. Rounds of the engines
alternate; words are those of the source, tokens those of the translations, metrics medians over the
rounds, ratios those within a round. Peak memory is that of the process, what Python and its imports
take before the engine is opened beside it.

The extra `peers` installs the engines, but for Bergamot, whose package `bergamot` (0.4.5) is for
CPython 3.8 to 3.10: give such a Python with it. An engine that is not installed is left out.
fxtranslate takes no batches and ONNX Runtime has no shortlist; CTranslate2's is not measured, as
version 4.8.5 goes on with the first batch's candidates in all later ones. A run that was
interrupted goes on with the rows that its file lacks; `--files` keeps the students.
"""

from compare_engines import arguments, compare_all
from engine_process import Engine
from students import DECODERS

if __name__ == "__main__":
    parser = arguments(
        __doc__,
        students=("tiny", "base"),
        decoders=DECODERS,
        batch_sizes=(1, 8, 32),
    )
    parser.add_argument("--bergamot-python", default="python3.10", help="Python that has bergamot")
    options = parser.parse_args()
    tfcompress = Engine("tfcompress")
    engines = {
        "ssru": {
            "tfcompress": tfcompress,
            "bergamot": Engine("bergamot", python=options.bergamot_python),
            "fxtranslate": Engine("fxtranslate", batches=False),
        },
        "self_attention": {
            "tfcompress": tfcompress,
            "ctranslate2": Engine("ctranslate2", shortlists=False),
            "onnxruntime": Engine("onnxruntime", shortlists=False),
        },
    }
    compare_all(options, engines)
