"""M2M100 and NLLB models that Hugging Face's transformers builds compute the same here."""

import json
import shutil

import numpy as np
import pytest
from models import m2m100_folders as m2m

import tfcompress as tfc
from tfcompress.models.decoding import greedy_decode

pytestmark = pytest.mark.slow

CONFIGS = {
    "m2m100": {},
    "nllb": {"tokenizer": "nllb"},
    "nllb_legacy": {"tokenizer": "nllb", "legacy": True, "activation_function": "gelu"},
    "nllb_saved": {"tokenizer": "nllb", "saved": True, "encoder_layers": 1},
    "nllb_saved_alone": {"tokenizer": "nllb", "saved": True, "alone": True, "d_model": 48},
    "nllb_rebuilt": {"tokenizer": "nllb", "saved": True, "alone": True, "rebuilt": True},
    "deep": {"encoder_layers": 6, "decoder_layers": 6},
    "swish_wide": {"activation_function": "swish", "d_model": 64, "encoder_ffn_dim": 130},
    "heads": {"encoder_attention_heads": 1, "decoder_attention_heads": 16},
    "unscaled": {"scale_embedding": False, "decoder_ffn_dim": 7},
    "own_tables": {"tie_word_embeddings": False},
    "float16": {"dtype": "float16", "tokenizer": "nllb"},
    "bfloat16_shards": {"dtype": "bfloat16", "max_shard_size": "4KB"},
    "unigram": {"model_type": "unigram"},
    "wmt21": {"language_codes": "wmt21"},
}


def rebuilt(tokenizer, folder, source, target):
    """The tokenizer as its class makes it of pieces and merges, with the mask before the codes."""
    model = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    charsmap = open_model(folder / "sentencepiece.bpe.model").normalizer_spec.precompiled_charsmap
    return type(tokenizer)(
        vocab=model["vocab"],
        merges=[tuple(merge) for merge in model["merges"]],
        _spm_precompiled_charsmap=charsmap,
        src_lang=source,
        tgt_lang=target,
    )


def open_model(path):
    from sentencepiece import sentencepiece_model_pb2

    return sentencepiece_model_pb2.ModelProto.FromString(path.read_bytes())


def tokenizer_of(transformers, folder, changes):
    """Writes a tokenizer, as transformers does where it is `saved`; returns it and its size."""
    kind, legacy = changes.pop("tokenizer", "m2m100"), changes.pop("legacy", False)
    settings = {key: changes.pop(key) for key in ("language_codes",) if key in changes}
    if kind == "nllb":
        settings["legacy_behaviour"] = legacy
    model_type = changes.pop("model_type", "bpe")
    plain = folder / "plain"
    added = kind == "nllb"
    size = m2m.write_tokenizer(plain, kind, model_type=model_type, added=added, **settings)
    source, target = m2m.LANGUAGES[kind]
    kinds = {"m2m100": transformers.M2M100Tokenizer, "nllb": transformers.NllbTokenizer}
    tokenizer = kinds[kind].from_pretrained(plain, src_lang=source, tgt_lang=target)
    if changes.pop("rebuilt", False):
        tokenizer = rebuilt(tokenizer, plain, source, target)
    saved, alone = changes.pop("saved", False), changes.pop("alone", False)
    if saved:
        tokenizer.save_pretrained(folder)
    if not alone:
        for path in plain.iterdir():
            if not (folder / path.name).exists():
                shutil.copy(path, folder)
    return tokenizer, source, target, size


@pytest.mark.parametrize("name", CONFIGS)
def test_models_of_transformers(tmp_path, name):
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    changes = dict(CONFIGS[name])
    dtype, shard = changes.pop("dtype", "float32"), changes.pop("max_shard_size", "1GB")
    tokenizer, source_language, target_language, size = tokenizer_of(
        transformers, tmp_path, changes
    )
    settings = m2m.settings(size, **changes)
    config = transformers.M2M100Config(**{k: v for k, v in settings.items() if k != "model_type"})
    torch.manual_seed(0)
    published = transformers.M2M100ForConditionalGeneration(config)
    with torch.no_grad():
        for _, tensor in published.named_parameters():
            tensor.normal_(0, 0.3)
    published.to(getattr(torch, dtype)).save_pretrained(tmp_path, max_shard_size=shard)
    assert json.loads((tmp_path / "config.json").read_text())["model_type"] == "m2m_100"
    published = transformers.M2M100ForConditionalGeneration.from_pretrained(
        tmp_path, dtype=torch.float32
    ).eval()
    languages = {"source_language": source_language, "target_language": target_language}
    model, source, target = tfc.models.from_m2m100(tmp_path, **languages)
    texts = [*m2m.SENTENCES, "Unknown Ünïcode text", "two  spaces"]
    rows = [[*row, source.eos_id] for row in source.encode(texts)]
    expected = tokenizer(texts)["input_ids"]
    # The end and the code have changed places in the legacy form.
    if CONFIGS[name].get("legacy"):
        assert [[*row[:-2], row[-1], row[-2]] for row in rows] == expected
    else:
        assert rows == expected
    is_nllb = CONFIGS[name].get("tokenizer") == "nllb"
    find = tokenizer.convert_tokens_to_ids if is_nllb else tokenizer.get_lang_id
    code = find(target_language)
    assert model.config.target_prefix == (code,)
    decoded = greedy_decode(model, rows, max_length=10)
    for row, inputs, actual in zip(rows, expected, decoded):
        ids = published.generate(
            input_ids=torch.tensor([inputs]),
            forced_bos_token_id=code,
            max_length=12,
            num_beams=1,
            do_sample=False,
            bad_words_ids=[[config.pad_token_id]],
        )[0]
        generated = ids[2:].tolist()
        assert actual == (generated[: generated.index(2)] if 2 in generated else generated)[:9]
        with torch.no_grad():
            outputs = published(torch.tensor([inputs]), decoder_input_ids=ids[None])
        inputs = {"source_token_ids": np.array([row]), "target_token_ids": ids[None].numpy()}
        memory = np.array(model.encode(inputs["source_token_ids"])[0])
        np.testing.assert_allclose(
            memory, outputs.encoder_last_hidden_state.numpy(), atol=1e-4, rtol=1e-5
        )
        np.testing.assert_allclose(
            np.array(model.model(inputs)), outputs.logits.numpy(), atol=1e-4, rtol=1e-5
        )
        # M2M100Tokenizer spells out codes, which text does not have.
        pieces = [id for id in actual if is_nllb or id < len(tokenizer.encoder)]
        expected_text = tokenizer.batch_decode([pieces], skip_special_tokens=True)
        assert target.decode([pieces]) == [text.strip() for text in expected_text]
