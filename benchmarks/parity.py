"""Token for token: the float32 bundle of a run next to its Keras model.

    python benchmarks/parity.py --run runs/multi30k_tiny --source test_2016_flickr.lc.norm.tok.en \
        --output benchmarks/results/parity.json

Compares greedy and beam search, beam 1 with greedy search, and a batch with its sentences one by
one, and counts the sentences that differ.
"""

import argparse
import json
import os
from pathlib import Path

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

from results_file import write_results

from tfcompress.models import load_preset
from tfcompress.models.decoding import beam_decode, greedy_decode
from tfcompress.runtime import Translator
from tfcompress.text import Tokenizer, read_lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--run", type=Path, required=True, help="folder of a finished run")
    parser.add_argument("--source", type=Path, required=True, help="source sentences")
    parser.add_argument("--output", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--sentences", type=int, default=200)
    parser.add_argument("--beam-size", type=int, default=4)
    options = parser.parse_args()
    transformer = load_preset(options.run / "model")
    translator = Translator(options.run / "bundles" / "float32")
    tokenizer = Tokenizer(options.run / "tokenizer.model")
    ids = tokenizer.encode(read_lines(options.source)[: options.sentences])
    ended = [[*row, transformer.config.eos_id] for row in ids]
    beam = {"beam_size": options.beam_size}

    greedy = translator.translate_ids(ids)
    searched = translator.translate_ids(ids, **beam)
    hypotheses = [beam_decode(transformer, row, **beam) for row in ended]
    results = {
        "sentences": len(ids),
        "beam_size": options.beam_size,
        "different": {
            "greedy, bundle and Keras model": differing(greedy, greedy_decode(transformer, ended)),
            "beam, bundle and Keras model": differing(
                searched, [row[0].token_ids for row in hypotheses]
            ),
            "beam 1 and greedy": differing(
                greedy, [beam_decode(transformer, row, beam_size=1)[0].token_ids for row in ended]
            ),
            "batch and one by one, greedy": differing(
                greedy, [translator.translate_ids([row])[0] for row in ids]
            ),
            "batch and one by one, beam": differing(
                searched, [translator.translate_ids([row], **beam)[0] for row in ids]
            ),
        },
    }
    write_results(options.output, results)
    print(json.dumps(results["different"], indent=2))


def differing(one: list[list[int]], other: list[list[int]]) -> int:
    """Counts the sentences whose tokens differ."""
    return sum(list(a) != list(b) for a, b in zip(one, other, strict=True))


if __name__ == "__main__":
    main()
