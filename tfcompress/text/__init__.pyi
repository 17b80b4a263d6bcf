from tfcompress.text.batching import PADDING_ROW as PADDING_ROW
from tfcompress.text.batching import TokenizedPairs as TokenizedPairs
from tfcompress.text.batching import epoch_batches as epoch_batches
from tfcompress.text.batching import evaluation_batches as evaluation_batches
from tfcompress.text.batching import evaluation_dataset as evaluation_dataset
from tfcompress.text.batching import make_batch as make_batch
from tfcompress.text.batching import steps_per_epoch as steps_per_epoch
from tfcompress.text.batching import training_dataset as training_dataset
from tfcompress.text.bergamot_shortlist import (
    read_bergamot_shortlist as read_bergamot_shortlist,
)
from tfcompress.text.bleu import BleuScore as BleuScore
from tfcompress.text.bleu import PairedComparison as PairedComparison
from tfcompress.text.bleu import bootstrap_interval as bootstrap_interval
from tfcompress.text.bleu import corpus_bleu as corpus_bleu
from tfcompress.text.bleu import paired_bootstrap as paired_bootstrap
from tfcompress.text.byte_pair import BytePairTokenizer as BytePairTokenizer
from tfcompress.text.cached_labelled_texts import CachedLabelledTexts as CachedLabelledTexts
from tfcompress.text.cached_labelled_texts import cache_labelled_texts as cache_labelled_texts
from tfcompress.text.cached_pairs import CachedPairs as CachedPairs
from tfcompress.text.cached_pairs import cache_pairs as cache_pairs
from tfcompress.text.cached_texts import CachedTexts as CachedTexts
from tfcompress.text.cached_texts import cache_texts as cache_texts
from tfcompress.text.characters import is_blank as is_blank
from tfcompress.text.corpora import Corpus as Corpus
from tfcompress.text.corpora import load_corpus as load_corpus
from tfcompress.text.corpora import open_corpus as open_corpus
from tfcompress.text.corpus_check import CorpusReport as CorpusReport
from tfcompress.text.corpus_check import check_corpus as check_corpus
from tfcompress.text.corpus_check import clean_corpus as clean_corpus
from tfcompress.text.faults import CorpusRules as CorpusRules
from tfcompress.text.input_noise import InputNoise as InputNoise
from tfcompress.text.labelled_corpora import LabelledCorpus as LabelledCorpus
from tfcompress.text.labelled_corpora import load_labelled_corpus as load_labelled_corpus
from tfcompress.text.labelled_corpora import open_labelled_corpus as open_labelled_corpus
from tfcompress.text.labelled_texts import LabelledTexts as LabelledTexts
from tfcompress.text.lines import read_lines as read_lines
from tfcompress.text.m2m100 import m2m100_tokenizers as m2m100_tokenizers
from tfcompress.text.marian import marian_tokenizers as marian_tokenizers
from tfcompress.text.mixture import Mixture as Mixture
from tfcompress.text.mixture import RowMixture as RowMixture
from tfcompress.text.phrases import phrase_corpus as phrase_corpus
from tfcompress.text.plain_texts import TokenizedTexts as TokenizedTexts
from tfcompress.text.published import PublishedTokenizer as PublishedTokenizer
from tfcompress.text.published_sentencepiece import (
    PublishedSentencePieceTokenizer as PublishedSentencePieceTokenizer,
)
from tfcompress.text.shortlist import Shortlist as Shortlist
from tfcompress.text.shortlist import build_shortlist as build_shortlist
from tfcompress.text.shortlist import coverage as coverage
from tfcompress.text.text_corpora import TextCorpus as TextCorpus
from tfcompress.text.text_corpora import load_text_corpus as load_text_corpus
from tfcompress.text.text_corpora import open_text_corpus as open_text_corpus
from tfcompress.text.text_stream import TextStream as TextStream
from tfcompress.text.text_tokenizers import TextTokenizer as TextTokenizer
from tfcompress.text.text_tokenizers import encode_texts as encode_texts
from tfcompress.text.text_tokenizers import load_text_tokenizer as load_text_tokenizer
from tfcompress.text.text_tokenizers import text_tokenizer as text_tokenizer
from tfcompress.text.text_tokenizers import tokenizer_from_keras_nlp as tokenizer_from_keras_nlp
from tfcompress.text.tokenizer import SentencePieceTokenizer as SentencePieceTokenizer
from tfcompress.text.tokenizer import Tokenizer as Tokenizer
from tfcompress.text.tokenizer import train_tokenizer as train_tokenizer
from tfcompress.text.trimming import keep_pieces as keep_pieces
from tfcompress.text.word_alignment import align_corpus as align_corpus
from tfcompress.text.wordpiece import WordPieceTokenizer as WordPieceTokenizer
from tfcompress.text.words import split_words as split_words
