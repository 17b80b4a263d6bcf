"""Corpora, tokenizers, batches and BLEU. TensorFlow loads only when a function needs it."""

from tfcompress.text.batching import (
    PADDING_ROW,
    TokenizedPairs,
    evaluation_dataset,
    make_batch,
    plan_epoch,
    plan_evaluation,
    steps_per_epoch,
    training_dataset,
)
from tfcompress.text.bleu import (
    BleuScore,
    PairedComparison,
    bootstrap_interval,
    corpus_bleu,
    paired_bootstrap,
)
from tfcompress.text.corpora import Corpus, load_corpus, read_lines
from tfcompress.text.phrases import phrase_corpus
from tfcompress.text.shortlist import Shortlist, build_shortlist, coverage
from tfcompress.text.tokenizer import Tokenizer, train_tokenizer
from tfcompress.text.trimming import keep_pieces

__all__ = [
    "PADDING_ROW",
    "BleuScore",
    "Corpus",
    "PairedComparison",
    "Shortlist",
    "TokenizedPairs",
    "Tokenizer",
    "bootstrap_interval",
    "build_shortlist",
    "corpus_bleu",
    "coverage",
    "evaluation_dataset",
    "keep_pieces",
    "load_corpus",
    "make_batch",
    "paired_bootstrap",
    "phrase_corpus",
    "plan_epoch",
    "plan_evaluation",
    "read_lines",
    "steps_per_epoch",
    "train_tokenizer",
    "training_dataset",
]
