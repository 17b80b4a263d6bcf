"""BLEU on validation text during training."""

from collections.abc import Callable, Sequence

from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.text.bleu import corpus_bleu


class BleuCallback(keras.callbacks.Callback):
    """Decodes validation text after every epoch and adds its BLEU to the logs as `val_bleu`.

    Args:
        translate: Called as `translate(sources)`, returns the translations by the model in
            training.
        sources: Source sentences.
        references: Their reference translations.
        tokenize: sacrebleu's tokenization.
        lowercase: Whether case is ignored.

    Raises:
        InputError: If the numbers of sentences differ or there are none.

    Example:

    >>> callback = tfc.callbacks.BleuCallback(translate, sources, references)
    >>> history = model.fit(dataset, callbacks=[callback], verbose=0)
    """

    def __init__(
        self,
        translate: Callable[[Sequence[str]], list[str]],
        sources: Sequence[str],
        references: Sequence[str],
        *,
        tokenize: str = "13a",
        lowercase: bool = False,
    ):
        super().__init__()
        self.translate = translate
        self.sources = list(sources)
        self.references = list(references)
        # What is wrong fails now rather than after an epoch.
        if len(self.sources) != len(self.references):
            raise InputError(
                "Every source sentence needs one reference. Received: "
                f"{len(self.sources)} sources and {len(self.references)} references."
            )
        corpus_bleu(self.references, self.references, tokenize=tokenize, lowercase=lowercase)
        self.tokenize = tokenize
        self.lowercase = lowercase

    def on_epoch_end(self, epoch, logs=None):
        score = corpus_bleu(
            self.translate(self.sources),
            self.references,
            tokenize=self.tokenize,
            lowercase=self.lowercase,
        )
        if logs is not None:
            logs["val_bleu"] = score.score
