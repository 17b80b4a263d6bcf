"""MarianMT folders become translators that compute what they did, and say what is wrong."""

import gzip
import json
import os
from pathlib import Path

import numpy as np
import pytest
from flavours import one_flavour
from models import marian_folders as marian
from models.marian_folders import reshaped, setting, without

import tfcompress as tfc
from tfcompress.errors import InputError
from tfcompress.models.decoding import greedy_decode
from tfcompress.runtime import Translator

SHARED = Path(
    os.environ.get("TFCOMPRESS_ORACLES") or Path(__file__).parents[2].parent / "shared/oracles"
).parent
CHECKPOINT = SHARED / "pretrained" / "marian_en_de"
VARIANTS = {
    "plain": {},
    "relu": {"activation_function": "relu", "encoder_layers": 1, "decoder_layers": 3},
    "gelu": {"activation_function": "gelu", "d_model": 24, "encoder_attention_heads": 6},
    "unscaled": {"scale_embedding": False},
    "separate": {"share_encoder_decoder_embeddings": False},
    "separate_unscaled": {"share_encoder_decoder_embeddings": False, "scale_embedding": False},
}


@pytest.fixture(params=VARIANTS.items(), ids=VARIANTS.keys())
def variant(request, tmp_path):
    name, changes = request.param
    separate = name.startswith("separate")
    sizes = marian.write_tokenizers(tmp_path, separate=separate)
    config = marian.settings(sizes, min(sizes) - 1, **changes)
    tensors = marian.random_tensors(config)
    marian.write_folder(tmp_path, config, tensors)
    return tmp_path, config, tensors


def run(model, source, target):
    memory, _ = model.encode(np.array([source]))
    inputs = {"source_token_ids": np.array([source]), "target_token_ids": np.array([target])}
    return np.array(memory)[0], np.array(model.model(inputs))[0]


def test_the_model_computes_what_marian_does(variant):
    folder, config, tensors = variant
    model, source_tokenizer, target_tokenizer = tfc.models.from_marian(folder)
    (source,) = source_tokenizer.encode(["a woman rides a red dog"])
    (target,) = target_tokenizer.encode(["ein hund läuft"])
    source, target = [*source, 0], [config["pad_token_id"], *target]
    expected = marian.forward(config, tensors, source, target)
    for actual, wanted in zip(run(model, source, target), expected):
        np.testing.assert_allclose(actual, wanted, atol=2e-4)


@pytest.fixture
def plain(tmp_path):
    return tmp_path, *marian.write_random_model(tmp_path)


@one_flavour
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("shards", [1, 3])
def test_stored_types_and_shards(plain, dtype, shards):
    folder, config, tensors = plain
    (folder / "model.safetensors").unlink()
    marian.write_folder(folder, config, tensors, dtype=dtype, shards=shards)
    model = tfc.models.from_marian(folder).model
    stored = tensors["model.shared.weight"]
    table = np.array(model.layer("embedding").embeddings)
    np.testing.assert_allclose(table, stored, rtol=2**-7)
    assert table.dtype == np.float32


@one_flavour
def test_other_names_of_tables(plain):
    folder, config, tensors = plain
    expected = run(tfc.models.from_marian(folder).model, [5, 0], [config["pad_token_id"]])
    table = tensors.pop("model.shared.weight")
    for names in (
        ["model.encoder.embed_tokens.weight"],
        ["model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight"],
        ["model.shared.weight", "lm_head.weight"],
    ):
        positions = {"model.encoder.embed_positions.weight": marian.sinusoids(64, 16)}
        marian.write_folder(folder, config, tensors | dict.fromkeys(names, table) | positions)
        actual = run(tfc.models.from_marian(folder).model, [5, 0], [config["pad_token_id"]])
        for one, other in zip(actual, expected):
            np.testing.assert_array_equal(one, other)


def ids_of_marian(folder, side, vocabulary, text):
    """The ids that Hugging Face's tokenizer gives."""
    import sentencepiece

    processor = sentencepiece.SentencePieceProcessor(str(folder / f"{side}.spm"))
    ids = json.loads((folder / vocabulary).read_text())
    code, _, rest = text.rpartition("<<")
    start = [ids[f"{code}<<"]] if code else []
    return start + [ids.get(p, ids["<unk>"]) for p in processor.encode(rest, out_type=str)]


TEXTS = (
    "two dogs play in the snow",
    "Two DOGS, ½ price: 日本",
    "die straße",
    "",
    "  a   man\tand  a bicycle ",
    "wild ski quartz",
)


@one_flavour
@pytest.mark.parametrize("model_type", ["unigram", "bpe"])
def test_ids_are_those_of_marian(tmp_path, model_type):
    codes, left_out = (">>de<<", ">>zho_Hans<<"), ("▁in", "▁the", "▁a", "s")
    marian.write_tokenizers(tmp_path, codes=codes, left_out=left_out, model_type=model_type)
    source, target = tfc.text.marian_tokenizers(tmp_path)
    texts = [*TEXTS, ">>de<< a man", ">>zho_Hans<< two dogs"]
    expected = [ids_of_marian(tmp_path, "source", "vocab.json", text) for text in texts]
    assert source.encode(texts) == expected
    assert any(source.unk_id in row for row in expected)
    ids, row_splits = source.encode_corpus(texts)
    rows = [row.tolist() for row in np.split(ids, row_splits[1:-1])]
    assert rows == expected
    assert target.encode(TEXTS) == [
        ids_of_marian(tmp_path, "target", "vocab.json", text) for text in TEXTS
    ]


@one_flavour
def test_decoding_leaves_special_pieces_out(plain):
    _, _, target = tfc.models.from_marian(plain[0])
    (ids,) = target.encode(["ein hund läuft"])
    assert target.decode([[*ids, target.unk_id, target.eos_id, target.pad_id]]) == [
        "ein hund läuft"
    ]


@pytest.mark.slow
def test_training_search_and_export(plain, tmp_path):
    model, source, target = tfc.models.from_marian(plain[0])
    rows = [[*ids, source.eos_id] for ids in source.encode(marian.SENTENCES)]
    greedy = greedy_decode(model, rows, max_length=9)
    assert all(model.config.pad_id not in row for row in greedy)
    manifest = tfc.export.convert(
        model,
        tmp_path / "bundle",
        quantization="float32",
        source_tokenizer=source,
        target_tokenizer=target,
    )
    assert manifest["parity"]["identical"] == 1.0
    translator = tfc.runtime.Translator(tmp_path / "bundle", native=False)
    expected = target.decode(greedy_decode(model, rows))
    assert translator.translate(list(marian.SENTENCES)) == expected
    pairs = tfc.text.TokenizedPairs.from_corpus(
        source, marian.SENTENCES, marian.TRANSLATED, target_tokenizer=target
    )
    dataset = tfc.text.training_dataset(
        pairs,
        batch_tokens=64,
        seed=0,
        pad_id=model.config.pad_id,
        bos_id=model.config.bos_id,
        eos_id=model.config.eos_id,
    )
    loss = tfc.training.LabelSmoothedCrossentropy(0.1, pad_id=model.config.pad_id)
    model.model.compile("adam", loss)
    history = model.model.fit(dataset, steps_per_epoch=2, epochs=4, verbose=0).history["loss"]
    assert history[-1] < history[0]


LAYER = "model.encoder.layers.1.fc1"
WRONG = {
    f"without {LAYER}.weight": without(f"{LAYER}.weight"),
    "without final_logits_bias": without("final_logits_bias"),
    "with another model.decoder.embed_positions.weight": reshaped(
        "model.decoder.embed_positions.weight", (64, 16)
    ),
    "with model.encoder.extra, which": reshaped("model.encoder.extra", (2,)),
    rf"with {LAYER}.weight of shape \[16, 24\] instead of \[24, 16\]": reshaped(
        f"{LAYER}.weight", (16, 24)
    ),
    "model.shared.weight and lm_head.weight differ": reshaped("lm_head.weight", (3, 3)),
    "activation_function='tanh'": setting(activation_function="tanh"),
    "with normalize_before=True": setting(normalize_before=True),
    "with model_type='bart'": setting(model_type="bart"),
    "d_model='16'": setting(d_model="16"),
    "vocab_size=None": setting(vocab_size=None),
    "dropout=1.5": setting(dropout=1.5),
    "the model 5 ids": setting(
        vocab_size=5, decoder_vocab_size=5, pad_token_id=4, decoder_start_token_id=4
    ),
    "with pad_token_id=4": setting(pad_token_id=4),
    "num_heads": setting(encoder_attention_heads=3),
    "scale_embedding='yes'": setting(scale_embedding="yes"),
    "share_encoder_decoder_embeddings=1": setting(share_encoder_decoder_embeddings=1),
    "encoder_layers=1000000": setting(encoder_layers=10**6),
    "d_model=1000000000": setting(d_model=10**9),
    r"decoder_ffn_dim=1000000000": setting(decoder_ffn_dim=10**9),
    "at most 4,194,304 ids. Received: one of 1,000,000,000,000": setting(vocab_size=10**12),
}


@one_flavour
@pytest.mark.parametrize(("message", "change"), WRONG.items(), ids=WRONG)
def test_wrong_folders(plain, message, change):
    folder = marian.write_changed(plain, change)
    with pytest.raises(InputError, match=message):
        tfc.models.from_marian(folder)


@one_flavour
@pytest.mark.parametrize(
    "name", ["config.json", "model.safetensors", "source.spm", "target.spm", "vocab.json"]
)
@pytest.mark.parametrize("damage", marian.DAMAGES)
def test_damaged_files(plain, name, damage):
    marian.damage_file(plain[0] / name, damage)
    with pytest.raises(InputError, match=name):
        tfc.models.from_marian(plain[0])


VOCABULARIES = {
    "without <pad>": lambda ids: {k: v for k, v in ids.items() if k != "<pad>"},
    "ids repeat": lambda ids: ids | {"x": 3},
    "no whole numbers": lambda ids: ids | {"x": "3"},
    "UTF-8 can hold": lambda ids: ids | {"\ud800": len(ids)},
    "none of whose pieces": lambda ids: {
        k if k.startswith("<") else f"{k}x": v for k, v in ids.items()
    },
}


@one_flavour
@pytest.mark.parametrize(("message", "change"), VOCABULARIES.items(), ids=VOCABULARIES)
def test_vocabularies_that_do_not_match(plain, message, change):
    path = plain[0] / "vocab.json"
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(InputError, match=message):
        tfc.models.from_marian(plain[0])


@pytest.fixture(scope="module")
def checkpoint():
    if not CHECKPOINT.is_dir():
        pytest.skip(f"no checkpoint beside the oracles in {SHARED}; set TFCOMPRESS_ORACLES")
    corpus = SHARED / "corpora" / "multi30k" / "raw" / "test_2016_flickr.en.gz"
    reference = np.load(CHECKPOINT / "reference.npz")

    def rows(name):
        return [[id for id in row if id >= 0] for row in reference[name].tolist()]

    lines = gzip.decompress(corpus.read_bytes()).decode().splitlines()[:200]
    return tfc.models.from_marian(CHECKPOINT), reference, rows, lines


def test_a_trained_model(checkpoint):
    (model, source, target), reference, rows, lines = checkpoint
    assert [[*ids, 0] for ids in source.encode(lines)] == rows("source_ids")
    texts = (CHECKPOINT / "reference.beam4.txt").read_text("utf-8").splitlines()
    assert target.decode(rows("beam4_ids")) == texts
    for index in range(4):
        inputs = [model.config.bos_id, *rows("greedy_ids")[index][:-1]]
        memory, logits = run(model, rows("source_ids")[index], inputs)
        np.testing.assert_allclose(memory, reference[f"encoder_{index}"], atol=1e-4)
        expected = reference[f"logits_{index}"]
        np.testing.assert_allclose(logits[: len(expected)], expected, atol=1e-4)


@pytest.mark.slow
def test_a_trained_model_decodes_as_it_did(checkpoint):
    (model, *_), _, rows, _ = checkpoint
    greedy = greedy_decode(model, rows("source_ids"), max_length=128)
    assert [[*row, 0] for row in greedy] == rows("greedy_ids")


@pytest.mark.slow
def test_a_trained_model_searches_as_it_did(checkpoint, tmp_path):
    (model, *_), _, rows, _ = checkpoint
    path = tmp_path / "bundle"
    tfc.export.convert(model, path, quantization="float32")
    translator = Translator(path)
    best = translator.translate_ids(rows("source_ids"), beam_size=4, max_length=128)
    assert [[*ids, 0] for ids in best] == rows("beam4_ids")
