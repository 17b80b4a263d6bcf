"""Corpora, tokenizers, batches and BLEU. TensorFlow loads only when a function needs it.

Modules load when they are first used: a device needs tokenizers only.
"""

import importlib

_MODULES = {
    "BleuScore": "bleu",
    "BytePairTokenizer": "byte_pair",
    "Corpus": "corpora",
    "CorpusReport": "corpus_check",
    "CorpusRules": "faults",
    "LabelledCorpus": "labelled_texts",
    "LabelledTexts": "labelled_texts",
    "PADDING_ROW": "batching",
    "PairedComparison": "bleu",
    "PublishedSentencePieceTokenizer": "published_sentencepiece",
    "PublishedTokenizer": "published",
    "SentencePieceTokenizer": "tokenizer",
    "Shortlist": "shortlist",
    "TextCorpus": "plain_texts",
    "TextTokenizer": "text_tokenizers",
    "TokenizedPairs": "batching",
    "TokenizedTexts": "plain_texts",
    "Tokenizer": "tokenizer",
    "WordPieceTokenizer": "wordpiece",
    "bootstrap_interval": "bleu",
    "build_shortlist": "shortlist",
    "check_corpus": "corpus_check",
    "clean_corpus": "corpus_check",
    "corpus_bleu": "bleu",
    "coverage": "shortlist",
    "encode_texts": "text_tokenizers",
    "epoch_batches": "batching",
    "evaluation_batches": "batching",
    "evaluation_dataset": "batching",
    "is_blank": "characters",
    "keep_pieces": "trimming",
    "load_corpus": "corpora",
    "load_labelled_corpus": "labelled_texts",
    "load_text_corpus": "plain_texts",
    "load_text_tokenizer": "text_tokenizers",
    "make_batch": "batching",
    "paired_bootstrap": "bleu",
    "phrase_corpus": "phrases",
    "read_lines": "corpora",
    "steps_per_epoch": "batching",
    "text_tokenizer": "text_tokenizers",
    "tokenizer_from_keras_nlp": "text_tokenizers",
    "train_tokenizer": "tokenizer",
    "training_dataset": "batching",
}

__all__ = [
    "PADDING_ROW",
    "BleuScore",
    "BytePairTokenizer",
    "Corpus",
    "CorpusReport",
    "CorpusRules",
    "LabelledCorpus",
    "LabelledTexts",
    "PairedComparison",
    "PublishedSentencePieceTokenizer",
    "PublishedTokenizer",
    "SentencePieceTokenizer",
    "Shortlist",
    "TextCorpus",
    "TextTokenizer",
    "TokenizedPairs",
    "TokenizedTexts",
    "Tokenizer",
    "WordPieceTokenizer",
    "bootstrap_interval",
    "build_shortlist",
    "check_corpus",
    "clean_corpus",
    "corpus_bleu",
    "coverage",
    "encode_texts",
    "epoch_batches",
    "evaluation_batches",
    "evaluation_dataset",
    "is_blank",
    "keep_pieces",
    "load_corpus",
    "load_labelled_corpus",
    "load_text_corpus",
    "load_text_tokenizer",
    "make_batch",
    "paired_bootstrap",
    "phrase_corpus",
    "read_lines",
    "steps_per_epoch",
    "text_tokenizer",
    "tokenizer_from_keras_nlp",
    "train_tokenizer",
    "training_dataset",
]


def __getattr__(name: str):
    if name in _MODULES:
        return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
