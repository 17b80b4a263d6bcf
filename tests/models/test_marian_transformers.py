"""Models that Hugging Face's transformers builds compute the same here."""

import json

import numpy as np
import pytest
from models import marian_folders as marian

import tfcompress as tfc

pytestmark = pytest.mark.slow

CONFIGS = [
    {},
    {"activation_function": "relu", "encoder_layers": 6, "decoder_layers": 6},
    {"activation_function": "gelu", "d_model": 48, "decoder_attention_heads": 8},
    {"scale_embedding": False},
    {"share_encoder_decoder_embeddings": False},
    {"share_encoder_decoder_embeddings": False, "scale_embedding": False, "d_model": 8},
    {"encoder_ffn_dim": 7, "decoder_ffn_dim": 90, "encoder_layers": 1, "decoder_layers": 4},
    {"dtype": "float16"},
    {"dtype": "bfloat16", "max_shard_size": "4KB"},
    {"d_model": 64, "encoder_attention_heads": 1, "decoder_attention_heads": 16},
]


@pytest.mark.parametrize("changes", CONFIGS, ids=str)
def test_models_of_transformers(tmp_path, changes):
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    changes = dict(changes)
    dtype, shard = changes.pop("dtype", "float32"), changes.pop("max_shard_size", "1GB")
    separate = not changes.get("share_encoder_decoder_embeddings", True)
    sizes = marian.write_tokenizers(tmp_path, separate=separate, codes=(">>de<<",))
    settings = marian.settings(sizes, min(sizes) - 1, **changes)
    config = transformers.MarianConfig(**{k: v for k, v in settings.items() if k != "model_type"})
    torch.manual_seed(0)
    published = transformers.MarianMTModel(config)
    with torch.no_grad():
        for name, tensor in published.named_parameters():
            if "embed_positions" not in name:
                tensor.normal_(0, 0.3)
        published.final_logits_bias.normal_(0, 0.3)
    published.to(getattr(torch, dtype)).save_pretrained(tmp_path, max_shard_size=shard)
    saved = json.loads((tmp_path / "config.json").read_text())
    assert saved["model_type"] == "marian"
    published = transformers.MarianMTModel.from_pretrained(tmp_path, dtype=torch.float32).eval()
    tokenizer = transformers.MarianTokenizer.from_pretrained(tmp_path)
    model, source, target = tfc.models.from_marian(tmp_path)
    texts = [*marian.SENTENCES, ">>de<< two dogs", "Unknown Ünïcode text"]
    rows = [[*row, source.eos_id] for row in source.encode(texts)]
    assert rows == tokenizer(texts)["input_ids"]
    for row in rows:
        inputs = {"input_ids": torch.tensor([row])}
        options = {"max_length": 12, "num_beams": 1, "do_sample": False}
        options["bad_words_ids"] = [[saved["pad_token_id"]]]
        ids = published.generate(**inputs, **options)[0]
        with torch.no_grad():
            expected = published(**inputs, decoder_input_ids=ids[None])
        logits = model.model(
            {"source_token_ids": np.array([row]), "target_token_ids": ids[None].numpy()}
        )
        np.testing.assert_allclose(np.array(logits), expected.logits.numpy(), atol=2e-4)
        memory = expected.encoder_last_hidden_state.numpy()
        np.testing.assert_allclose(np.array(model.encode(np.array([row]))[0]), memory, atol=2e-4)
        decoded = target.decode([ids[1:].tolist()])
        assert decoded == tokenizer.batch_decode(ids[None], skip_special_tokens=True)
