"""Folders of M2M100 and NLLB models with random weights."""

import json

from models import marian_folders as marian

SENTENCES, TRANSLATED = marian.SENTENCES, marian.TRANSLATED
LANGUAGES = {"m2m100": ("en", "de"), "nllb": ("eng_Latn", "deu_Latn")}


def write_tokenizer(
    folder, kind="m2m100", *, model_type="bpe", left_out=(), added=False, **settings
):
    """Writes a tokenizer as it was published; returns the number of ids.

    With `added`, the settings of NLLB's name its codes, as those that are published do.
    """
    from tfcompress.text.m2m100_languages import M2M100, NLLB

    folder.mkdir(parents=True, exist_ok=True)
    model = marian.train_pieces([*SENTENCES, *TRANSLATED], 90, model_type)
    (folder / "sentencepiece.bpe.model").write_bytes(model)
    pieces = ["<s>", "<pad>", "</s>", "<unk>", *marian.pieces_of(model)]
    if kind == "nllb":
        size = len(pieces) + len(NLLB) + 1
        if added:
            tokens = enumerate([*pieces, *NLLB, "<mask>"])
            settings["added_tokens_decoder"] = {
                str(id): {"content": token, "special": True}
                for id, token in tokens
                if id < 4 or id >= len(pieces)
            }
    else:
        pieces = [piece for piece in pieces if piece not in left_out]
        (folder / "vocab.json").write_text(json.dumps({p: i for i, p in enumerate(pieces)}))
        size = len(pieces) + len(M2M100[settings.get("language_codes", "m2m100")]) + 8
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return size


def settings(size, **changes):
    return {
        "model_type": "m2m_100",
        "is_encoder_decoder": True,
        "vocab_size": size,
        **marian.SIZES,
        "activation_function": "relu",
        "dropout": 0.1,
        "attention_dropout": 0.1,
        "activation_dropout": 0.0,
        "encoder_layerdrop": 0.05,
        "decoder_layerdrop": 0.05,
        "max_position_embeddings": 64,
        "scale_embedding": True,
        "tie_word_embeddings": True,
        "pad_token_id": 1,
        "bos_token_id": 0,
        "eos_token_id": 2,
        "decoder_start_token_id": 2,
    } | changes


def write_random_model(folder, kind="m2m100", *, dtype="float32", shards=1, **tokenizer):
    """Writes a whole folder with random weights."""
    config = settings(write_tokenizer(folder, kind, **tokenizer))
    tensors = marian.random_tensors(config)
    marian.write_folder(folder, config, tensors, dtype=dtype, shards=shards)
    return config, tensors
