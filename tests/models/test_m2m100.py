"""M2M100 and NLLB folders become translators that compute what they did, and say what is wrong."""

import html
import json
import tracemalloc

import numpy as np
import pytest
from flavours import one_flavour
from models import m2m100_folders as m2m
from models import marian_folders as marian
from models.marian_folders import reshaped, setting, without

import tfcompress as tfc
from tfcompress.errors import InputError
from tfcompress.models.decoding import greedy_decode
from tfcompress.models.tensor_files import TensorFiles
from tfcompress.runtime import PivotTranslator, Translator

ENGLISH = ["two dogs play in the snow", "the woman rides a red bicycle"]
GERMAN = ["zwei hunde spielen im schnee", "die frau fährt"]


def load(folder, kind="m2m100", **options):
    source, target = m2m.LANGUAGES[kind]
    options = {"source_language": source, "target_language": target} | options
    return tfc.models.from_m2m100(folder, **options)


def run(model, source, target):
    memory, _ = model.encode(np.array([source]))
    inputs = {"source_token_ids": np.array([source]), "target_token_ids": np.array([target])}
    return np.array(memory)[0], np.array(model.model(inputs))[0]


def assert_same(actual, expected):
    for one, other in zip(actual, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-4)


VARIANTS = {
    "m2m100": ("m2m100", {}),
    "nllb": ("nllb", {"activation_function": "gelu", "d_model": 24, "scale_embedding": False}),
    "own_tables": ("m2m100", {"tie_word_embeddings": False, "decoder_layers": 3}),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_the_model_computes_what_it_did(name, tmp_path):
    kind, changes = VARIANTS[name]
    config = m2m.settings(m2m.write_tokenizer(tmp_path, kind), **changes)
    tensors = marian.random_tensors(config)
    marian.write_folder(tmp_path, config, tensors)
    model, source_tokenizer, target_tokenizer = load(tmp_path, kind)
    (source,) = source_tokenizer.encode(ENGLISH[:1])
    (target,) = target_tokenizer.encode(GERMAN[:1])
    (code,) = model.config.target_prefix
    source, target = [*source, 2], [2, code, *target]
    assert_same(run(model, source, target), marian.forward(config, tensors, source, target))


@pytest.fixture
def plain(tmp_path):
    return tmp_path, *m2m.write_random_model(tmp_path)


def pieces(folder):
    """The ids of M2M100's pieces and codes, as its tokenizer gives them."""
    from tfcompress.text.m2m100_languages import M2M100

    ids = json.loads((folder / "vocab.json").read_text())
    return ids | {f"__{code}__": len(ids) + i for i, code in enumerate(M2M100["m2m100"])}


TEXTS = [*m2m.SENTENCES, "Two DOGS, ½ price: 日本", "", "  a   man\tand  ", "__de__ </s> x"]


@one_flavour
@pytest.mark.parametrize("model_type", ["bpe", "unigram"])
def test_ids_of_m2m100(tmp_path, model_type):
    import sentencepiece

    left_out = ("▁in", "▁the", "s")
    m2m.write_tokenizer(tmp_path, model_type=model_type, left_out=left_out)
    ids = pieces(tmp_path)
    tokenizers = tfc.text.m2m100_tokenizers(tmp_path, source_language="en", target_language="de")
    processor = sentencepiece.SentencePieceProcessor(str(tmp_path / "sentencepiece.bpe.model"))
    expected = [
        [ids.get(piece, 3) for piece in row] for row in processor.encode(TEXTS, out_type=str)
    ]
    assert tokenizers.target.encode(TEXTS) == expected
    with_code = [[ids["__en__"], *row] for row in expected]
    assert tokenizers.source.encode(TEXTS) == with_code
    flat, splits = tokenizers.source.encode_corpus(TEXTS)
    assert [row.tolist() for row in np.split(flat, splits[1:-1])] == with_code
    assert tokenizers.target_code == ids["__de__"]
    (man,) = tokenizers.target.encode(["a man"])
    assert tokenizers.target.decode([[ids["__de__"], *man, 3, 2, 1]]) == ["a man"]


@one_flavour
@pytest.mark.parametrize("legacy", [False, True])
def test_ids_of_nllb(tmp_path, legacy):
    import sentencepiece

    from tfcompress.text.m2m100_languages import NLLB

    m2m.write_tokenizer(tmp_path, "nllb", legacy_behaviour=legacy)
    processor = sentencepiece.SentencePieceProcessor(str(tmp_path / "sentencepiece.bpe.model"))
    first = processor.get_piece_size() + 1
    english = first + NLLB.index("eng_Latn")
    rows = [[id + 1 if id else 3 for id in row] for row in processor.encode(TEXTS)]
    expected = [[*row, english] if legacy else [english, *row] for row in rows]
    source, target, source_code, target_code = tfc.text.m2m100_tokenizers(
        tmp_path, source_language="eng_Latn", target_language="deu_Latn"
    )
    assert source.encode(TEXTS) == expected
    assert target.encode(TEXTS) == rows
    assert (source_code, target_code) == (english, first + NLLB.index("deu_Latn"))
    assert source.vocabulary_size == first + len(NLLB) + 1


@one_flavour
def test_ids_of_a_dataset(plain):
    import tensorflow as tf

    _, source, _ = load(plain[0])
    lines = tf.data.Dataset.from_tensor_slices(TEXTS)
    (batch,) = source.tokenize_dataset(lines.batch(len(TEXTS)))
    assert batch.to_list() == source.encode(TEXTS)
    assert [row.numpy().tolist() for row in source.tokenize_dataset(lines)] == batch.to_list()


@one_flavour
def test_the_legacy_form_ends_sources_with_the_code(tmp_path):
    config, tensors = m2m.write_random_model(tmp_path, "nllb", legacy_behaviour=True)
    model, source_tokenizer, target_tokenizer = load(tmp_path, "nllb")
    *text, code = source_tokenizer.encode(ENGLISH[:1])[0]
    (target,) = target_tokenizer.encode(GERMAN[:1])
    target = [2, *model.config.target_prefix, *target]
    # The published order of ids is the end, then the code.
    expected = marian.forward(config, tensors, [*text, 2, code], target)
    assert_same(run(model, [*text, code, 2], target), expected)
    smaller, source_tokenizer, target_tokenizer = load(
        tmp_path, "nllb", corpus=(ENGLISH, GERMAN), keep=[5]
    )
    (source,) = source_tokenizer.encode(ENGLISH[:1])
    (target,) = target_tokenizer.encode(GERMAN[:1])
    target = [smaller.config.bos_id, *smaller.config.target_prefix, *target]
    memory, _ = run(smaller, [*source, smaller.config.eos_id], target)
    np.testing.assert_allclose(memory, expected[0], atol=2e-4)


@pytest.mark.costly
@one_flavour
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_trimming(tmp_path, dtype):
    config, _ = m2m.write_random_model(tmp_path, dtype=dtype, shards=3)
    whole, source_tokenizer, target_tokenizer = load(tmp_path)
    model, source, target = load(tmp_path, corpus=(ENGLISH, GERMAN), max_length=20)
    assert model.config.source_vocabulary_size < config["vocab_size"]
    assert model.config.max_source_length == 20
    assert target.decode(target.encode(GERMAN)) == GERMAN
    rows = source_tokenizer.encode(ENGLISH)
    smaller = source.encode(ENGLISH)
    for row, small in zip(rows, smaller):
        (code,) = whole.config.target_prefix
        memory, _ = run(whole, [*row, 2], [2, code])
        eos, bos = model.config.eos_id, model.config.bos_id
        actual, _ = run(model, [*small, eos], [bos, *model.config.target_prefix])
        np.testing.assert_allclose(actual, memory, atol=1e-5)
    # A model with all ids of the other translates the same.
    everything, source, target = load(tmp_path, keep=range(config["vocab_size"]))
    results = [
        tokens.decode(
            greedy_decode(one, [[*row, one.config.eos_id] for row in ids.encode(ENGLISH)])
        )
        for one, ids, tokens in (
            (whole, source_tokenizer, target_tokenizer),
            (everything, source, target),
        )
    ]
    assert results[0] == results[1]


@one_flavour
def test_rows_are_read_without_the_table(tmp_path):
    import ml_dtypes
    from safetensors.numpy import save_file

    table = np.random.default_rng(0).normal(size=(200_000, 64)).astype(ml_dtypes.bfloat16)
    save_file({"table": table}, tmp_path / "model.safetensors")
    files = TensorFiles(tmp_path)
    rows = np.array([199_999, 0, 7, 131_072, 7])
    tracemalloc.start()
    actual = files.read_rows("table", rows)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    np.testing.assert_array_equal(actual, table[rows].astype(np.float32))
    assert peak < table.nbytes / 2


@pytest.mark.slow
def test_trimming_comes_before_the_whole_table(tmp_path):
    import ml_dtypes

    m2m.write_tokenizer(tmp_path)
    path = tmp_path / "vocab.json"
    ids = json.loads(path.read_text())
    ids |= {f"filler {number}": len(ids) + number for number in range(60_000)}
    path.write_text(json.dumps(ids))
    config = m2m.settings(len(ids) + 108, d_model=512)
    tensors = marian.random_tensors(config)
    marian.write_folder(tmp_path, config, tensors, dtype="bfloat16")
    table = tensors.pop("model.shared.weight")
    rest = sum(tensor.nbytes for tensor in tensors.values())
    tracemalloc.start()
    model, source, target = load(tmp_path, corpus=(ENGLISH, GERMAN))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < table.nbytes / 2 + rest
    whole = tfc.text.m2m100_tokenizers(tmp_path, source_language="en", target_language="de")
    rows = np.array(model.layer("embedding").embeddings)
    for smaller, larger in ((source, whole.source), (target, whole.target)):
        for row, expected in zip(smaller.encode(ENGLISH), larger.encode(ENGLISH)):
            stored = table[expected].astype(ml_dtypes.bfloat16).astype(np.float32)
            np.testing.assert_array_equal(rows[row], stored)


def test_decoding_begins_with_the_code_and_leaves_it_out(plain):
    folder, config, tensors = plain
    model, source, _ = load(folder)
    rows = [[*row, 2] for row in source.encode(ENGLISH)]
    (code,) = model.config.target_prefix
    assert code == pieces(folder)["__de__"]
    for row, actual in zip(rows, greedy_decode(model, rows, max_length=6)):
        expected = []
        while len(expected) < 5:
            _, logits = marian.forward(config, tensors, row, [2, code, *expected])
            logits[-1, config["pad_token_id"]] = -np.inf
            expected.append(int(logits[-1].argmax()))
            if expected[-1] == 2:
                expected.pop()
                break
        assert actual[:5] == expected


LAYER = "model.encoder.layers.1.fc1"
WRONG = {
    f"without {LAYER}.weight": without(f"{LAYER}.weight"),
    "without model.shared.weight": without("model.shared.weight"),
    "without model.encoder.layer_norm.bias": without("model.encoder.layer_norm.bias"),
    "another model.decoder.embed_positions.weights": reshaped(
        "model.decoder.embed_positions.weights", (66, 16)
    ),
    "with final_logits_bias, which the model lacks": reshaped("final_logits_bias", (1, 5)),
    rf"with {LAYER}.weight of shape \[16, 24\] instead of \[24, 16\]": reshaped(
        f"{LAYER}.weight", (16, 24)
    ),
    "with model.shared.weight of shape": reshaped("model.shared.weight", (20, 16)),
    "model.shared.weight and lm_head.weight differ": reshaped("lm_head.weight", (3, 3)),
    "activation_function='tanh'": setting(activation_function="tanh"),
    "model_type='nllb-moe'": setting(model_type="nllb-moe"),
    "quantization_config=": setting(quantization_config={"bits": 8}),
    "d_model=None": setting(d_model=None),
    "attention_dropout='x'": setting(attention_dropout="x"),
    "the model 5 ids": setting(vocab_size=5),
    "with pad_token_id=4": setting(pad_token_id=4),
    "eos_token_id=\\[2, 3\\]": setting(eos_token_id=[2, 3]),
    "vocab_size=150": setting(vocab_size=150, decoder_start_token_id=150),
    "num_heads": setting(encoder_attention_heads=3),
}


@one_flavour
@pytest.mark.parametrize(("message", "change"), WRONG.items(), ids=WRONG)
def test_wrong_folders(plain, message, change):
    folder = marian.write_changed(plain, change)
    with pytest.raises(InputError, match=message):
        load(folder)


@one_flavour
def test_weights_that_are_whole_numbers(plain):
    from safetensors.numpy import save_file

    folder, _, tensors = plain
    tensors[f"{LAYER}.weight"] = tensors[f"{LAYER}.weight"].astype(np.int8)
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(InputError, match=f"{LAYER}.weight of int8"):
        load(folder)


@one_flavour
@pytest.mark.parametrize(
    "name", ["config.json", "model.safetensors", "sentencepiece.bpe.model", "vocab.json"]
)
@pytest.mark.parametrize("damage", marian.DAMAGES)
def test_damaged_files(plain, name, damage):
    marian.damage_file(plain[0] / name, damage)
    with pytest.raises(InputError, match=name if name != "vocab.json" else "vocab|match|language"):
        load(plain[0])


@one_flavour
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"a": 3, "b": 3}, "ids repeat"),
        ({"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "x\ud800": 4}, "UTF-8 can hold"),
        ({"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "zzz": 4}, "none of whose pieces"),
        ({"<s>": 0, "<pad>": 1, "</s>": 2}, "without <unk>"),
    ],
)
def test_vocabularies_that_do_not_match(plain, content, message):
    (plain[0] / "vocab.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=message):
        load(plain[0])


@one_flavour
@pytest.mark.parametrize(
    ("language", "near"), [("deu", "de"), ("deu_Latn", "de"), ("DE", "de"), (None, "")]
)
def test_unknown_languages(plain, language, near):
    with pytest.raises(
        InputError, match=rf"target_language={language!r}. Give one, such as .*{near}"
    ):
        load(plain[0], target_language=language)


@one_flavour
def test_wrong_options(plain):
    for options, message in (
        ({"max_length": 65}, "max_length=65"),
        ({"keep": [-1]}, "from 0 to .* Received: -1"),
        ({"keep": [10_000]}, "Received: 10000"),
    ):
        with pytest.raises(InputError, match=message):
            load(plain[0], **options)


@pytest.mark.slow
@pytest.mark.parametrize("native", [False, True])
def test_alignments_and_markup(plain, tmp_path, native, request, monkeypatch):
    """The code of the source's language is a token of its own, but nowhere in the text."""
    if native:
        built = request.getfixturevalue("built")
        monkeypatch.setenv("TFCOMPRESS_NATIVE", str(built / "libtfcompress.so"))
    folder, *_ = plain
    model, source, target = load(folder)
    tfc.export.convert(
        model,
        tmp_path / "bundle",
        source_tokenizer=source,
        target_tokenizer=target,
        quantization="float32",
        alignments=True,
        samples=[[5, 6, 2]],
    )
    with Translator(tmp_path / "bundle", native=native) as translator:
        text = ENGLISH[0]
        tokens = translator.source_tokens(text)
        (best,) = translator.translate(text, max_length=12, return_scores=True)
        assert (tokens[0], tokens[-1]) == ("__en__", "</s>")
        assert best.alignment is not None
        assert best.alignment.shape == (len(best.token_ids), len(tokens))
        np.testing.assert_allclose(best.alignment.sum(axis=1), 1.0, atol=1e-4)
        marked = translator.translate(f"<b>{text}</b>", max_length=12, markup=True)
        assert marked == f"<b>{html.escape(best.text or '', quote=False)}</b>"
        chain = PivotTranslator([translator])
        assert chain.translate(text, max_length=12) == best.text
