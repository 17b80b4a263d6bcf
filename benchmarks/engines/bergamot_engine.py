"""Bergamot, as the Python package of that name has it: of CPython 3.8 to 3.10."""

import importlib.util
from importlib.metadata import files

PACKAGE = "bergamot"


def _extension():
    """The engine itself: the package's own start asks the network for models."""
    (path,) = (one for one in files(PACKAGE) if one.name.startswith("_bergamot."))
    spec = importlib.util.spec_from_file_location("_bergamot", str(path.locate()))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_bergamot = _extension()


def open_engine(folder, batch_size, num_tokens, shortlist):
    """Opens Marian's files; returns what translates a batch, and what computes."""
    place = folder / "marian"
    length = len((folder / "sentences.txt").read_text().split("\n")[0].split()) + 1
    settings = {
        "models": f"[{place / 'model.intgemm.alphas.bin'}]",
        "vocabs": f"[{place / 'vocab.spm'}, {place / 'vocab.spm'}]",
        "gemm-precision": "int8shiftAlphaAll",
        "beam-size": 1,
        "normalize": 1.0,
        "word-penalty": 0,
        "skip-cost": "true",
        "cpu-threads": 0,
        "quiet": "true",
        "quiet-translation": "true",
        "workspace": 128,
        "max-length-break": length,
        # Tokens of a batch's sources; the engine wants room for a longest translation too.
        "mini-batch-words": max(batch_size * length, num_tokens),
        # The engine stops at the first step that is not below it.
        "max-length-factor": (num_tokens - 0.5) / length,
        "ssplit-mode": "sentence",
        "alignment": "soft",
    }
    if shortlist:
        settings["shortlist"] = f"[{place / 'lex.s2t.bin'}, false]"
    service = _bergamot.Service(_bergamot.ServiceConfig(numWorkers=1, cacheSize=0, logLevel="off"))
    model = service.modelFromConfig("".join(f"{key}: {value}\n" for key, value in settings.items()))
    options = _bergamot.ResponseOptions(
        qualityScores=False, alignment=False, HTML=False, sentenceMappings=False
    )

    def translate(batch):
        # One text of a line each: texts of their own might begin before all are there.
        (response,) = service.translate(model, _bergamot.VectorString(["\n".join(batch)]), options)
        return response.target.text.split("\n")

    return translate, "int8shiftAlphaAll"
