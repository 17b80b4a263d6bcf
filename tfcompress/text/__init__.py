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
from tfcompress.text.byte_pair import BytePairTokenizer
from tfcompress.text.corpora import Corpus, load_corpus, read_lines
from tfcompress.text.phrases import phrase_corpus
from tfcompress.text.shortlist import Shortlist, build_shortlist, coverage
from tfcompress.text.text_tokenizers import (
    TextTokenizer,
    encode_texts,
    load_text_tokenizer,
    text_tokenizer,
    tokenizer_from_keras_nlp,
)
from tfcompress.text.tokenizer import SentencePieceTokenizer, Tokenizer, train_tokenizer
from tfcompress.text.trimming import keep_pieces
from tfcompress.text.wordpiece import WordPieceTokenizer

__all__ = [
    "PADDING_ROW",
    "BleuScore",
    "BytePairTokenizer",
    "Corpus",
    "PairedComparison",
    "SentencePieceTokenizer",
    "Shortlist",
    "TextTokenizer",
    "TokenizedPairs",
    "Tokenizer",
    "WordPieceTokenizer",
    "bootstrap_interval",
    "build_shortlist",
    "corpus_bleu",
    "coverage",
    "encode_texts",
    "evaluation_dataset",
    "keep_pieces",
    "load_corpus",
    "load_text_tokenizer",
    "make_batch",
    "paired_bootstrap",
    "phrase_corpus",
    "plan_epoch",
    "plan_evaluation",
    "read_lines",
    "steps_per_epoch",
    "text_tokenizer",
    "tokenizer_from_keras_nlp",
    "train_tokenizer",
    "training_dataset",
]
