"""Speed next to CTranslate2: the same weights, the same sentences, one run.

    python benchmarks/vs_ctranslate2.py --output benchmarks/results/vs_ctranslate2.json \
        [--run runs/multi30k_tiny --source test_2016_flickr.lc.norm.tok.en]

Both in int8, 1 thread, one sentence at a time, whole translations with the encoder included.
Rounds of the two systems alternate; metrics are medians over the rounds, and the ratio is the
median of the ratios within a round. Presets have random weights and random sentences of 20 tokens.
"""

import argparse
import json
import os
import tempfile
from pathlib import Path

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import ctranslate2_twin
import numpy as np
from results_file import write_results
from rounds import median, speeds_in_turns

from tfcompress.export import convert
from tfcompress.export.conversion.translation_exporter import learn_shortlist
from tfcompress.models import load_preset
from tfcompress.runtime import Translator
from tfcompress.text import Tokenizer, read_lines

PRESETS = ("student_base", "student_tiny")
EOS = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--run", type=Path, help="folder of a trained run to measure as well")
    parser.add_argument("--source", type=Path, help="its source sentences")
    parser.add_argument("--presets", nargs="*", default=PRESETS)
    parser.add_argument(
        "--custom-ops", action="store_true", help="use those that pay; needs the native runtime"
    )
    parser.add_argument(
        "--shortlist",
        nargs=2,
        metavar=("SOURCE", "TARGET"),
        help="parallel text that the run's lexical shortlist is learned from",
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--sentences", type=int, default=20, help="sentences of a round")
    options = parser.parse_args()
    rows = []
    for name in options.presets:
        transformer = load_preset(name)
        size = transformer.config.source_vocabulary_size
        rng = np.random.default_rng(0)
        sentences = rng.integers(4, size, (options.sentences, 20)).tolist()
        rows += measure(name, transformer, sentences, options)
    if options.run:
        transformer = load_preset(options.run / "model")
        tokenizer = Tokenizer(options.run / "tokenizer.model")
        lines = read_lines(options.source)[: options.sentences]
        shortlist = None
        if options.shortlist:
            pairs = (read_lines(path) for path in options.shortlist)
            shortlist = learn_shortlist(tokenizer, tokenizer, *pairs, transformer.config)
        sentences = tokenizer.encode(lines)
        rows += measure(options.run.name, transformer, sentences, options, shortlist)
    write_results(options.output, {"rows": rows})


def measure(name, transformer, sentences, options, shortlist=None) -> list[dict]:
    """Converts to both systems and times them in turns."""
    with tempfile.TemporaryDirectory() as folder:
        bundle, twin = Path(folder) / "bundle", Path(folder) / "twin"
        convert(
            transformer,
            bundle,
            quantization="dynamic_int8",
            custom_ops=options.custom_ops,
            shortlist=shortlist,
        )
        ctranslate2_twin.convert(transformer, twin)
        size = {
            "bundle_bytes": sum(f.stat().st_size for f in bundle.iterdir()),
            "ctranslate2_bytes": sum(f.stat().st_size for f in twin.iterdir()),
        }
        with Translator(bundle) as translator:
            twin_translator = ctranslate2_twin.translator(twin, threads=1)
            size["shortlist"] = shortlist is not None
            return [
                size
                | compare(name, translator, twin_translator, sentences, beam_size, options.rounds)
                for beam_size in (1, 4)
            ]


def compare(name, translator, twin, sentences, beam_size, rounds) -> dict:
    """Times both systems on the same sentences in alternating rounds."""
    sources = [[*ids, EOS] for ids in sentences]
    limits = [2 * len(ids) + 16 for ids in sources]
    named = [[ctranslate2_twin.token_name(i) for i in ids] for ids in sources]

    def run_tfcompress():
        return [len(translator.translate_ids([ids], beam_size=beam_size)[0]) for ids in sentences]

    def run_ctranslate2():
        results = (
            twin.translate_batch([tokens], beam_size=beam_size, max_decoding_length=limit)
            for tokens, limit in zip(named, limits)
        )
        return [len(result[0].hypotheses[0]) for result in results]

    systems = {"tfcompress": run_tfcompress, "ctranslate2": run_ctranslate2}
    speeds = speeds_in_turns({key: lambda s=s: sum(s()) for key, s in systems.items()}, rounds)
    row = {
        "model": name,
        "runtime": "native" if translator.is_native else "python",
        "custom_ops": list(translator.bundle.custom_ops),
        "beam_size": beam_size,
        "tokens_per_s": median(speeds["tfcompress"]),
        "ctranslate2_tokens_per_s": median(speeds["ctranslate2"]),
        "ratio": median(speeds["tfcompress"] / speeds["ctranslate2"], 2),
    }
    print(json.dumps(row), flush=True)
    return row


if __name__ == "__main__":
    main()
