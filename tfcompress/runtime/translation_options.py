"""What a translation heeds beside its text."""

from dataclasses import dataclass, replace

from tfcompress.runtime.constraints import NO_CONSTRAINTS, Constraints
from tfcompress.search_options import SearchOptions


@dataclass(frozen=True)
class TranslationOptions:
    """The options of `Translator.translate`.

    Attributes:
        search: How to search.
        constraints: What the search heeds.
        with_scores: Whether greedy search computes scores and alignments too.
        overlong: What to do with a line beyond a bundle's limit.
        split_sentences: Whether each sentence is translated by itself.
        batch_size: How many parts of texts are decoded side by side, at most.
    """

    search: SearchOptions
    constraints: Constraints = NO_CONSTRAINTS
    with_scores: bool = False
    overlong: str = "split"
    split_sentences: bool = False
    batch_size: int = 1

    def without_prefix(self) -> "TranslationOptions":
        """Returns the same for what does not begin a text."""
        if not self.constraints.target_prefix:
            return self
        return replace(self, constraints=replace(self.constraints, target_prefix=()))
