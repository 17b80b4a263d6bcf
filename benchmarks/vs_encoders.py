"""Sentence vectors next to ONNX Runtime and CTranslate2: the same weights, the same ids, one run.

    python benchmarks/vs_encoders.py --onnx OUT --output benchmarks/results/vs_encoders.json

All in int8, 1 thread, one text at a time, the mean of all tokens' states as a vector of length 1.
`--onnx` is the folder that `onnx_twin.py` made of `tfc.models.minilm_folder()`. Rounds of the
systems alternate; metrics are medians over the rounds, ratios are medians of the ratios within a
round. Memory is the peak of a process of its own that runs one system at length 128.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import ctranslate2
import numpy as np
import onnxruntime

LENGTHS = (8, 32, 128)
START, END = 101, 102


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", type=Path, help="JSON file to write")
    parser.add_argument("--onnx", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.5, help="of a system in a round")
    parser.add_argument("--texts", type=Path, help="file of texts to compare int8 with float32 on")
    parser.add_argument("--custom-ops", action="store_true", help="measure tfc.EncoderLayer too")
    parser.add_argument("--memory-of", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory_of:
        return _print_memory(*options.memory_of, options.onnx)
    from results_file import write_results

    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        bundle, twin = _convert(folder, options.custom_ops)
        metrics = _measure(options, folder)
        if options.texts:
            metrics["cosine_of_int8_and_float32"] = _cosines(folder, options.texts)
        metrics["bytes"] = {
            "tfcompress": _size(bundle),
            "onnxruntime": (options.onnx / "int8.onnx").stat().st_size,
            "ctranslate2": _size(twin),
        }
        metrics["peak_rss_bytes"] = {
            name: _memory(name, folder, options.onnx) for name in metrics["bytes"]
        }
    print(json.dumps(metrics, indent=2))
    if options.output:
        write_results(options.output, metrics)


def _convert(folder, custom_ops):
    import ctranslate2_twin

    import tfcompress as tfc

    encoder = tfc.models.from_safetensors(tfc.models.minilm_folder())
    tfc.export.convert(encoder, folder / "tfcompress", quantization="dynamic_int8")
    tokenizer = tfc.text.load_text_tokenizer(tfc.models.minilm_folder())
    tfc.export.convert(encoder, folder / "float32", tokenizer=tokenizer, quantization="float32")
    if custom_ops:
        tfc.export.convert(
            encoder,
            folder / "tfcompress_custom",
            quantization="dynamic_int8",
            custom_ops=["tfc.EncoderLayer"],
        )
    ctranslate2_twin.convert_encoder(encoder, folder / "ctranslate2")
    return folder / "tfcompress", folder / "ctranslate2"


def _systems(folder, onnx):
    """Functions from ids to a vector, by name; each opens its model when it is first called."""
    names = sorted(path.name for path in folder.iterdir() if path.name.startswith("tfcompress"))
    return {name: lambda name=name: _ours(folder / name) for name in names} | {
        "onnxruntime": lambda: _onnx(onnx / "int8.onnx"),
        "ctranslate2": lambda: _ctranslate2(folder / "ctranslate2"),
    }


def _ours(bundle):
    from tfcompress.runtime import TextModel

    model = TextModel(bundle)
    return lambda ids: model.run([ids])[0]["embedding"]


def _onnx(path):
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])

    def run(ids):
        ids = np.array([ids], np.int64)
        return session.run(None, {"input_ids": ids, "token_type_ids": 0 * ids})[0][0]

    return run


def _ctranslate2(folder):
    model = ctranslate2.Encoder(
        str(folder), device="cpu", compute_type="int8", intra_threads=1, inter_threads=1
    )

    def run(ids):
        states = np.array(model.forward_batch([ids]).last_hidden_state)[0]
        vector = states.mean(axis=0)
        return vector / np.linalg.norm(vector)

    return run


def _measure(options, folder):
    systems = {name: start() for name, start in _systems(folder, options.onnx).items()}
    generator = np.random.default_rng(0)
    rows = []
    for length in LENGTHS:
        ids = [START, *generator.integers(1000, 30000, length - 2).tolist(), END]
        vectors = {name: run(ids) for name, run in systems.items()}
        times = {name: [] for name in systems}
        for _ in range(options.rounds):
            for name, run in systems.items():
                times[name].append(_time(run, ids, options.seconds))
        others = [times[name] for name in ("onnxruntime", "ctranslate2")]
        ratios = [min(pair) / own for *pair, own in zip(*others, times["tfcompress"], strict=True)]
        rows.append(
            {
                "length": length,
                "milliseconds": {
                    name: round(1000 * statistics.median(t), 4) for name, t in times.items()
                },
                "times_faster_than_the_better": round(statistics.median(ratios), 3),
                "cosine": {
                    name: round(float(vector @ vectors["tfcompress"]), 5)
                    for name, vector in vectors.items()
                },
            }
        )
    return {"lengths": rows}


def _time(run, ids, seconds):
    """Median seconds of a call."""
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 3:
        begin = time.perf_counter()
        run(ids)
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def _memory(name, folder, onnx):
    command = [sys.executable, __file__, "--onnx", str(onnx), "--memory-of", name, str(folder)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _print_memory(name, folder, onnx):
    from tfcompress.runtime.measuring import peak_rss_bytes

    run = _systems(Path(folder), onnx)[name]()
    for _ in range(20):
        run([START, *range(2000, 2126), END])
    print(peak_rss_bytes())


def _cosines(folder, path):
    """Mean and least cosine of a text's vectors in int8 and in float32, over 500 texts."""
    from tfcompress.runtime import TextModel
    from tfcompress.text import read_lines

    texts = [line.split("\t")[0] for line in read_lines(path)][:500]
    with TextModel(folder / "float32") as exact, TextModel(folder / "tfcompress") as int8:
        rows = [exact.tokenize([text])[0] for text in texts]
        pairs = [[model.run([ids])[0]["embedding"] for model in (exact, int8)] for ids in rows]
    cosines = [float(a @ b) for a, b in pairs]
    return {"texts": len(texts), "mean": float(np.mean(cosines)), "least": min(cosines)}


def _size(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
