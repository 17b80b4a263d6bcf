"""Students with random weights, in the files of every engine.

A piece of their vocabulary is a word of its own, and no translation can end early: engines that
differ in a digit still compute equally many tokens.
"""

import json
from pathlib import Path

import numpy as np

# Width, feed-forward width, layers of encoder and decoder, heads.
STUDENTS = {
    "tiny": (256, 1536, 6, 2, 8),
    "base_memory": (384, 1536, 6, 4, 8),
    "base": (512, 2048, 6, 2, 8),
}
DECODERS = ("ssru", "self_attention")
# Of a shortlist, how many ids every sentence has and how many each source id.
FREQUENT, PER_SOURCE = 50, 50
# Ids of the vocabulary's end mark and unknown pieces.
EOS, UNK = 0, 1


def num_tokens(num_words: int) -> int:
    """Returns fxtranslate's limit of a translation, the end mark not counted; others obey."""
    return 2 * (num_words + 1) + 4


def write_student(
    folder: Path,
    student: str,
    decoder: str,
    *,
    vocabulary_size: int,
    num_words: int,
    num_sentences: int,
) -> None:
    """Writes a student for all engines that run its decoder, and sentences, unless it is there.

    Args:
        folder: Gets `vocab.spm`, `sentences.txt`, `bundle` and `bundle_shortlist`; with an SSRU
            `marian`, from whose 8-bit file the bundles are made, so that the integers are the same;
            with self-attention `ctranslate2` and `onnxruntime`, where these are installed.
        student: Of `STUDENTS`.
        decoder: Of `DECODERS`.
        vocabulary_size: Pieces, unknown ones and the end mark among them.
        num_words: Of a sentence.
        num_sentences: How many.
    """
    from tfcompress.text import Shortlist, Tokenizer

    settings = [student, decoder, vocabulary_size, num_words, num_sentences]
    done = folder / "settings.json"
    if done.exists() and json.loads(done.read_text()) == settings:
        return
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    vocabulary = made_up_vocabulary(vocabulary_size)
    (folder / "vocab.spm").write_bytes(vocabulary)
    tokenizer = Tokenizer(vocabulary)
    words = [tokenizer.decode([[id]])[0] for id in range(2, vocabulary_size)]
    lines = [" ".join(rng.choice(words, num_words)) for _ in range(num_sentences)]
    (folder / "sentences.txt").write_text("\n".join(lines))
    lists = rng.integers(FREQUENT, vocabulary_size, (vocabulary_size + 1, PER_SOURCE))
    shortlist = Shortlist(
        np.arange(FREQUENT, dtype=np.int32),
        np.arange(vocabulary_size + 2, dtype=np.int32) * PER_SOURCE,
        lists.reshape(-1).astype(np.int32),
        vocabulary_size + 1,
    )
    write = {"ssru": _write_ssru, "self_attention": _write_self_attention}[decoder]
    write(folder, random_student(student, decoder, tokenizer), tokenizer, shortlist, lines)
    done.write_text(json.dumps(settings))


def random_student(student: str, decoder: str, tokenizer):
    """Returns a student with random weights whose translations have no special tokens."""
    from tfcompress import models

    width, inner, num_encoder, num_decoder, heads = STUDENTS[student]
    mixer = {"ssru": models.SSRUConfig, "self_attention": models.AttentionConfig}[decoder]
    feed_forward = models.FeedForwardConfig(inner)
    config = models.Seq2SeqConfig(
        tokenizer.vocabulary_size,
        hidden_dim=width,
        encoder=models.StackConfig(
            num_encoder, attention=models.AttentionConfig(heads), feed_forward=feed_forward
        ),
        decoder=models.StackConfig(
            num_decoder, attention=mixer(num_heads=heads), feed_forward=feed_forward
        ),
        embedding=models.EmbeddingConfig(share=True, use_output_bias=True, zero_start=True),
        epsilon=1e-6,
        pad_id=tokenizer.pad_id,
        bos_id=tokenizer.bos_id,
        eos_id=tokenizer.eos_id,
    )
    model = models.Seq2SeqTransformer(config)
    rng = np.random.default_rng(0)
    # As those of trained models: uniform ones saturate the 16-bit sums of other engines' kernels.
    for kernel in model.model.trainable_weights:
        if len(kernel.shape) > 1:
            kernel.assign(rng.normal(0, kernel.numpy().std(), kernel.shape))
    # Logits of 0, less than the best of many.
    embedding = model.layer("embedding")
    table = embedding.embeddings.numpy()
    table[[EOS, UNK, tokenizer.pad_id]] = 0
    embedding.embeddings.assign(table)
    # Without these signs the best token would be the last one again.
    signs = rng.choice([-1.0, 1.0], width)
    model.decoder_layers[-1].feed_forward_normalization.gamma.assign(signs)
    return model


def made_up_vocabulary(size: int) -> bytes:
    """Returns a SentencePiece model, each piece of which is a made-up word, and padding."""
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
    trainer.eos_id, trainer.unk_id, trainer.eos_piece, trainer.unk_piece = EOS, UNK, "</s>", "<unk>"
    trainer.pad_id = trainer.bos_id = size
    trainer.pad_piece = trainer.bos_piece = "<pad>"
    model.normalizer_spec.add_dummy_prefix = True
    return model.SerializeToString()


def _write_ssru(folder, model, tokenizer, shortlist, lines):
    from tfcompress.export import to_marian
    from tfcompress.models import from_bergamot

    place = folder / "marian"
    to_marian(
        model,
        place,
        source_tokenizer=tokenizer,
        target_tokenizer=tokenizer,
        representative_data=lines,
        shortlist=shortlist,
    )
    read = from_bergamot(
        place / "model.intgemm.alphas.bin", place / "vocab.spm", place / "lex.s2t.bin"
    )
    _write_bundles(folder, read.model, read.source_tokenizer, read.shortlist)


def _write_self_attention(folder, model, tokenizer, shortlist, lines):
    _write_bundles(folder, model, tokenizer, shortlist)
    try:
        import ctranslate2_twin
    except ImportError:
        pass
    else:
        tokens = _pieces(folder / "vocab.spm")
        ctranslate2_twin.convert(model, folder / "ctranslate2", tokens=tokens, unk_id=UNK)
    try:
        import onnx_translator_twin
    except ImportError:
        pass
    else:
        onnx_translator_twin.convert(model, folder / "onnxruntime")


def _write_bundles(folder, model, tokenizer, shortlist):
    from tfcompress.export import convert

    for bundle, lexical in (("bundle", None), ("bundle_shortlist", shortlist)):
        convert(
            model,
            folder / bundle,
            source_tokenizer=tokenizer,
            target_tokenizer=tokenizer,
            quantization="dynamic_int8",
            custom_ops=True,
            shortlist=lexical,
        )


def _pieces(vocabulary: Path) -> list[str]:
    from sentencepiece import SentencePieceProcessor

    processor = SentencePieceProcessor(model_file=str(vocabulary))
    return [processor.id_to_piece(id) for id in range(processor.vocab_size())]
