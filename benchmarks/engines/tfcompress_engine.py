"""The native runtime of tfcompress."""

from tfcompress.runtime import Translator

PACKAGE = "tfcompress"


def open_engine(folder, batch_size, num_tokens, shortlist):
    """Opens the bundle; returns what translates a batch, and what computes."""
    translator = Translator(folder / ("bundle_shortlist" if shortlist else "bundle"), native=True)

    def translate(batch):
        return translator.translate(batch, max_length=num_tokens + 1, batch_size=batch_size)

    return translate, "native"
