"""Speed and memory next to fxtranslate, Mozilla's engine: the same weights and sentences, one run.

    taskset -c 1 python benchmarks/vs_fxtranslate.py --output benchmarks/results/vs_fxtranslate.json

Both in 8 bits, from one file: what `tfcompress.export.to_marian` writes of a student with random
weights is read again for the bundle, so that the integers are the same. Each engine is a process
of its own, pinned to the same core, that translates whole sentences as text, one at a time, to the
same limit. Rounds of the engines alternate; words are those of the translations, metrics medians
over the rounds, ratios those within a round. Peak memory is that of the process, what Python and
its imports take before the engine is opened beside it. fxtranslate has kernels for AVX2, so
tfcompress is measured at full level and, by TFCOMPRESS_LEVEL, at that one.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import numpy as np
from results_file import write_results
from rounds import median, speeds_in_turns

# Width, feed-forward width, layers of encoder and decoder, heads.
STUDENTS = {
    "tiny": (256, 1536, 6, 2, 8),
    "base_memory": (384, 1536, 6, 4, 8),
    "base": (512, 2048, 6, 2, 8),
}
LEVELS = {"full": {}, "avx2": {"TFCOMPRESS_LEVEL": "avx2"}}
# Of a shortlist, how many ids every sentence has and how many each source id.
FREQUENT, PER_SOURCE = 50, 50


def main() -> None:
    if sys.argv[1:2] == ["worker"]:
        return work(*sys.argv[2:])
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--students", nargs="*", default=list(STUDENTS), choices=STUDENTS)
    parser.add_argument("--levels", nargs="*", default=list(LEVELS), choices=LEVELS)
    parser.add_argument("--vocabulary-size", type=int, default=32000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--sentences", type=int, default=20, help="sentences of a round")
    parser.add_argument("--words", type=int, default=20, help="words of a sentence")
    options = parser.parse_args()
    core = sorted(os.sched_getaffinity(0))[-1]
    os.sched_setaffinity(0, {core})
    rows = []
    for name in options.students:
        with tempfile.TemporaryDirectory() as folder:
            make_files(name, Path(folder), options)
            for shortlist in (False, True):
                rows += measure(name, Path(folder), options, shortlist)
    write_results(options.output, {"core": core, "rows": rows})


def measure(name: str, folder: Path, options: argparse.Namespace, shortlist: bool) -> list[dict]:
    """Times the engines in turns, and asks each for its memory."""
    workers = {
        f"tfcompress_{level}": Worker("tfcompress", folder, shortlist, LEVELS[level])
        for level in options.levels
    }
    workers["fxtranslate"] = Worker("fxtranslate", folder, shortlist, {})
    speeds = speeds_in_turns({key: one.translate for key, one in workers.items()}, options.rounds)
    rows = []
    for key, worker in workers.items():
        row = {
            "student": name,
            "engine": key,
            "shortlist": shortlist,
            "words_per_s": median(speeds[key]),
            "times_fxtranslate": median(speeds[key] / speeds["fxtranslate"], 2),
            **worker.close(),
        }
        print(json.dumps(row), flush=True)
        rows.append(row)
    return rows


class Worker:
    """An engine in a process of its own.

    Args:
        engine: "tfcompress" or "fxtranslate".
        folder: What `make_files` wrote.
        shortlist: Whether with the shortlist.
        environment: Further variables.
    """

    def __init__(self, engine: str, folder: Path, shortlist: bool, environment: dict[str, str]):
        self._process = subprocess.Popen(
            [sys.executable, __file__, "worker", engine, str(folder), str(int(shortlist))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | environment | {"OMP_NUM_THREADS": "1"},
            text=True,
        )

    def translate(self) -> int:
        """Translates all sentences and returns the number of words."""
        return int(self._ask("translate"))

    def close(self) -> dict:
        """Ends the process and returns what it says of itself."""
        answer = json.loads(self._ask("describe"))
        self._process.stdin.close()
        self._process.wait()
        return answer

    def _ask(self, question):
        self._process.stdin.write(f"{question}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the worker ended with {self._process.wait()}")
        return answer


def work(engine: str, folder: str, shortlist: str) -> None:
    """Answers a `Worker`'s questions."""
    from tfcompress.runtime.measuring import peak_rss_bytes

    place, lines = Path(folder), (Path(folder) / "sentences.txt").read_text().splitlines()
    make = {"tfcompress": open_tfcompress, "fxtranslate": open_fxtranslate}[engine]
    translate, before, backend = make(place, shortlist == "1", peak_rss_bytes)
    for question in sys.stdin:
        if question.strip() == "translate":
            print(sum(len(translate(line).split()) for line in lines), flush=True)
            continue
        about = {"backend": backend, "peak_rss_bytes": peak_rss_bytes()}
        print(json.dumps(about | {"rss_before_bytes": before}), flush=True)


def open_tfcompress(folder: Path, shortlist: bool, memory):
    from tfcompress.runtime import Translator

    before = memory()
    translator = Translator(folder / ("bundle_shortlist" if shortlist else "bundle"))
    limit = json.loads((folder / "limit.json").read_text())

    def translate(line):
        return translator.translate(line, max_length=limit)

    return translate, before, "native" if translator.is_native else "python"


def open_fxtranslate(folder: Path, shortlist: bool, memory):
    import fxtranslate

    before = memory()
    place = folder / "marian"
    vocabulary = (place / "vocab.spm").read_bytes()
    lexical = (place / "lex.s2t.bin").read_bytes() if shortlist else None
    model = (place / "model.intgemm.alphas.bin").read_bytes()
    translator = fxtranslate.Translator(model, vocabulary, vocabulary, lexical)
    del model
    return translator.translate, before, translator.backend()


def make_files(name: str, folder: Path, options: argparse.Namespace) -> None:
    """Writes a student for both engines, and the sentences."""
    from tfcompress.export import convert, to_marian
    from tfcompress.models import from_bergamot
    from tfcompress.text import Shortlist, Tokenizer

    rng = np.random.default_rng(0)
    size = options.vocabulary_size
    tokenizer = Tokenizer(made_up_vocabulary(size))
    words = [tokenizer.decode([[id]])[0] for id in range(2, size)]
    lines = [" ".join(rng.choice(words, options.words)) for _ in range(options.sentences)]
    (folder / "sentences.txt").write_text("\n".join(lines))
    # The limit of fxtranslate, and the end mark, which it does not count.
    (folder / "limit.json").write_text(json.dumps(2 * (options.words + 1) + 4 + 1))
    lists = rng.integers(FREQUENT, size, (size + 1, PER_SOURCE)).astype(np.int32)
    shortlist = Shortlist(
        np.arange(FREQUENT, dtype=np.int32),
        np.arange(size + 2, dtype=np.int32) * PER_SOURCE,
        lists.reshape(-1),
        size + 1,
    )
    model = random_student(name, tokenizer)
    to_marian(
        model,
        folder / "marian",
        source_tokenizer=tokenizer,
        target_tokenizer=tokenizer,
        representative_data=lines[:4],
        shortlist=shortlist,
    )
    place = folder / "marian"
    read = from_bergamot(
        place / "model.intgemm.alphas.bin", place / "vocab.spm", place / "lex.s2t.bin"
    )
    tokenizers = dict(zip(("source_tokenizer", "target_tokenizer"), read[1:]))
    for bundle, lexical in (("bundle", None), ("bundle_shortlist", read.shortlist)):
        convert(
            read.model,
            folder / bundle,
            quantization="dynamic_int8",
            custom_ops=True,
            shortlist=lexical,
            **tokenizers,
        )


def random_student(name: str, tokenizer):
    """A student with random weights."""
    from tfcompress import models

    width, inner, num_encoder, num_decoder, heads = STUDENTS[name]
    feed_forward = models.FeedForwardConfig(inner)
    config = models.Seq2SeqConfig(
        tokenizer.vocabulary_size,
        hidden_dim=width,
        encoder=models.StackConfig(
            num_encoder, attention=models.AttentionConfig(heads), feed_forward=feed_forward
        ),
        decoder=models.StackConfig(
            num_decoder, attention=models.SSRUConfig(num_heads=heads), feed_forward=feed_forward
        ),
        embedding=models.EmbeddingConfig(share=True, use_output_bias=True, zero_start=True),
        epsilon=1e-6,
        pad_id=tokenizer.pad_id,
        bos_id=tokenizer.bos_id,
        eos_id=tokenizer.eos_id,
    )
    return models.Seq2SeqTransformer(config)


def made_up_vocabulary(size: int) -> bytes:
    """A SentencePiece model, each piece of which is a made-up word, and padding."""
    from sentencepiece.sentencepiece_model_pb2 import ModelProto

    model, piece = ModelProto(), ModelProto.SentencePiece
    model.pieces.add(piece="</s>", type=piece.CONTROL)
    model.pieces.add(piece="<unk>", type=piece.UNKNOWN)
    letters = "bcdfghjklmnprstvwz", "aeiou"
    for number in range(size - 2):
        word = ""
        for place in range(6):
            number, index = divmod(number, len(letters[place % 2]))
            word += letters[place % 2][index]
        model.pieces.add(piece=f"\u2581{word}", score=-10)
    model.pieces.add(piece="<pad>", type=piece.CONTROL)
    trainer = model.trainer_spec
    trainer.vocab_size = size + 1
    trainer.eos_id, trainer.unk_id, trainer.eos_piece, trainer.unk_piece = 0, 1, "</s>", "<unk>"
    trainer.pad_id = trainer.bos_id = size
    trainer.pad_piece = trainer.bos_piece = "<pad>"
    model.normalizer_spec.add_dummy_prefix = True
    return model.SerializeToString()


if __name__ == "__main__":
    main()
