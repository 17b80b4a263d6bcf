"""Mozilla's fxtranslate, which takes one sentence at a time and has its own limit of tokens."""

import fxtranslate

PACKAGE = "fxtranslate"


def open_engine(folder, batch_size, num_tokens, shortlist):
    """Opens Marian's files; returns what translates a batch, and what computes."""
    place = folder / "marian"
    vocabulary = (place / "vocab.spm").read_bytes()
    lexical = (place / "lex.s2t.bin").read_bytes() if shortlist else None
    model = (place / "model.intgemm.alphas.bin").read_bytes()
    translator = fxtranslate.Translator(model, vocabulary, vocabulary, lexical)
    return lambda batch: [translator.translate(line) for line in batch], translator.backend()
