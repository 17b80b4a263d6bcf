"""Marian's own files become translators that compute what Marian does, and say what is wrong."""

import contextlib
import json
import struct

import numpy as np
import pytest
import yaml
from flavours import one_flavour
from hypothesis import given, settings
from hypothesis import strategies as st
from models import marian_students as students
from models.marian_folders import SENTENCES, TRANSLATED

import tfcompress as tfc
from tfcompress.errors import InputError, InputWarning
from tfcompress.models.marian_files.bergamot import read_bergamot, write_bergamot
from tfcompress.models.marian_files.content import IntegerTensor
from tfcompress.models.marian_files.npz import read_npz, write_npz
from tfcompress.text.marian_vocabularies import marian_vocabularies

pytestmark = one_flavour

AAN = {"transformer-decoder-autoreg": "average-attention"}
UNTIED = {"tied-embeddings-all": False, "tied-embeddings": False}
PRE_NORM = {
    "transformer-preprocess": "n",
    "transformer-postprocess": "da",
    "transformer-postprocess-top": "n",
}
VARIANTS = {
    "ssru": {},
    "projected": {"transformer-rnn-projection": True, "transformer-decoder-dim-ffn": 40},
    "pre_norm": PRE_NORM,
    "averaged": AAN,
    "averaged_without_second_product": AAN | {"transformer-dim-aan": students.WIDTH},
    "averaged_without_gates": AAN | {"transformer-aan-depth": 1, "transformer-aan-nogate": True},
    "self_attention": {
        "transformer-decoder-autoreg": "self-attention",
        "transformer-ffn-activation": "swish",
        "layer-normalization": True,
    },
    "self_attention_pre_norm": PRE_NORM | {"transformer-decoder-autoreg": "self-attention"},
    "untied": UNTIED | {"tied-embeddings-src": True},
    "two_tables": UNTIED | {"tied-embeddings": True, "output-omit-bias": True},
    "trained_positions": {"transformer-train-position-embeddings": True},
}


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory):
    path = tmp_path_factory.mktemp("vocabulary") / "vocab.spm"
    path.write_bytes(students.vocabulary())
    return path


@pytest.fixture(scope="module")
def size(vocabulary):
    return students.size_of(vocabulary.read_bytes())


def logits_of(read, source, target):
    model, *_ = read
    inputs = {
        "source_token_ids": np.array([source]),
        "target_token_ids": np.array([[model.config.bos_id, *target]]),
    }
    logits = np.array(model.model(inputs))[0]
    assert logits.shape[1] == model.config.target_vocabulary_size
    return logits[:, :-1]


def check(read, options, tensors):
    (source,) = read.source_tokenizer.encode(["a woman rides a red dog"])
    (target,) = read.target_tokenizer.encode(["ein hund läuft"])
    expected = students.forward(options, tensors, [*source, 0], target)
    np.testing.assert_allclose(logits_of(read, [*source, 0], target), expected, atol=3e-4)


# Those that share their parts with others.
SLOW = ("projected", "averaged_without_second_product", "averaged_without_gates", "untied")
SLOW += ("self_attention_pre_norm", "trained_positions")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(changes, id=name, marks=[pytest.mark.slow] * (name in SLOW))
        for name, changes in VARIANTS.items()
    ],
)
def test_the_model_computes_what_marian_does(changes, vocabulary, size, tmp_path):
    options = students.settings(size, **{"enc-depth": 1, "dec-depth": 1} | changes)
    tensors = students.random_tensors(options)
    path = tmp_path / "model.npz"
    path.write_bytes(students.npz(tensors, options))
    check(tfc.models.from_marian_npz(path, vocabulary), options, tensors)


def test_a_file_of_integers_without_alphas(vocabulary, size, tmp_path):
    options = students.settings(size)
    tensors = students.random_tensors(options)
    path = tmp_path / "model.bin"
    path.write_bytes(students.bergamot(tensors, options, integers=True, alphas=False))
    read = tfc.models.from_bergamot(path, vocabulary)
    assert read.shortlist is None
    check(read, options, students.dequantized(tensors))


def test_two_vocabularies_and_options_left_out(tmp_path):
    paths = [tmp_path / "srcvocab.spm", tmp_path / "trgvocab.spm"]
    for path, sentences, count in zip(paths, (SENTENCES, TRANSLATED), (60, 70)):
        path.write_bytes(students.vocabulary(sentences, count))
    sizes = tuple(students.size_of(path.read_bytes()) for path in paths)
    options = students.settings(sizes, **UNTIED | {"tied-embeddings": True})
    tensors = students.random_tensors(options)
    names = ("dim-emb", "enc-depth", "dec-depth", "transformer-heads", "transformer-dim-ffn")
    path = tmp_path / "model.bin"
    few = {name: options[name] for name in names}
    path.write_bytes(students.bergamot(tensors, few, integers=True))
    check(tfc.models.from_bergamot(path, paths), options, students.dequantized(tensors))


def test_a_table_of_ids_with_models_beside_it(tmp_path):
    from models.marian_folders import pieces_of, train_pieces

    pieces = {}
    for side, sentences in (("source", SENTENCES), ("target", TRANSLATED)):
        model = train_pieces(sentences, 60)
        (tmp_path / f"{side}.spm").write_bytes(model)
        pieces |= dict.fromkeys(pieces_of(model))
    # Words that YAML would take for something else.
    ids = {piece: id for id, piece in enumerate(["</s>", "<unk>", "no", "1.5", "~", *pieces])}
    (tmp_path / "vocab.yml").write_text("".join(f'"{p}": {i}\n' for p, i in ids.items()))
    (tmp_path / "vocab.json").write_text(json.dumps(ids))
    options = students.settings(len(ids))
    tensors = students.random_tensors(options)
    path = tmp_path / "model.npz"
    path.write_bytes(students.npz(tensors, options))
    for name in ("vocab.yml", "vocab.json"):
        read = tfc.models.from_marian_npz(path, tmp_path / name)
        check(read, options, tensors)
        (row,) = read.source_tokenizer.encode(["two dogs"])
        assert [
            ids[p] for p in read.source_tokenizer._processor.encode_as_pieces("two dogs")
        ] == row


# What is refused.


def option(**changes):
    changes = {name.replace("_", "-"): value for name, value in changes.items()}
    return lambda options, tensors: (options | changes, tensors)


def without(name):
    return lambda options, tensors: (options, {k: v for k, v in tensors.items() if k != name})


def tensor(name, value):
    return lambda options, tensors: (options, tensors | {name: np.asarray(value, np.float32)})


WRONG = {
    "type='s2s' instead of 'transformer'": option(type="s2s"),
    "transformer-tied-layers": option(transformer_tied_layers=[1, 1]),
    "lemma-dim-emb=64 instead of none": option(lemma_dim_emb=64),
    "transformer-ffn-activation='gelu' instead of 'relu' or 'swish'": option(
        transformer_ffn_activation="gelu"
    ),
    "transformer-postprocess='dhn' instead of 'dan'": option(transformer_postprocess="dhn"),
    "transformer-preprocess='r'": option(transformer_preprocess="r"),
    "transformer-postprocess-emb='n'": option(transformer_postprocess_emb="n"),
    "transformer-postprocess-top='n' instead of ''": option(transformer_postprocess_top="n"),
    "dec-cell='gru' instead of 'ssru'; layer-normalization=True": option(
        dec_cell="gru", layer_normalization=True
    ),
    "transformer-decoder-autoreg='lstm'": option(transformer_decoder_autoreg="lstm"),
    "transformer-ffn-depth=3": option(transformer_ffn_depth=3),
    "transformer-heads='8' instead of a whole number": option(transformer_heads="8"),
    "num_heads": option(transformer_heads=3),
    "dim-emb=1000000000 and Wemb": option(dim_emb=10**9),
    "transformer-dim-ffn=1000000000 and encoder_l1_ffn_W1": option(transformer_dim_ffn=10**9),
    "enc-depth=1000000000, without encoder_l1000000000": option(enc_depth=10**9),
    "dim-vocabs=": option(dim_vocabs=[5, 5]),
    "right-left=True": option(right_left=True),
    "tied-embeddings-all='yes' instead of False or True": option(tied_embeddings_all="yes"),
    "vocabs=.*without factors": option(vocabs=["vocab.fsv", "vocab.spm"]),
    "without Wemb": without("Wemb"),
    "without encoder_l2_ffn_b1": without("encoder_l2_ffn_b1"),
    "with decoder_l9_rnn_W, which the model lacks": tensor("decoder_l9_rnn_W", np.zeros((2, 2))),
    r"with encoder_l1_self_Wq of shape \[32, 31\] instead of \[32, 32\]": tensor(
        "encoder_l1_self_Wq", np.zeros((32, 31))
    ),
    "not finite in decoder_l1_rnn_bf": tensor("decoder_l1_rnn_bf", np.full((1, 32), np.nan)),
}
# Found before there is a model, which takes a second to make.
LATE = ("without encoder_l2", "with decoder_l9", r"with encoder_l1_self_Wq", "not finite")


@pytest.mark.parametrize(("message", "change"), WRONG.items(), ids=WRONG)
def test_wrong_files(message, change, vocabulary, size, tmp_path, monkeypatch):
    options = students.settings(size)
    options, tensors = change(options, students.random_tensors(options))
    path = tmp_path / "model.npz"
    path.write_bytes(students.npz(tensors, options))
    if not message.startswith(LATE):
        monkeypatch.setattr("tfcompress.models.marian_files.reading.Seq2SeqTransformer", None)
    with pytest.raises(InputError, match=message) as error:
        tfc.models.from_marian_npz(path, vocabulary)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("length", [0, 1, -1, True, 2.5])
def test_lengths_without_room(length, vocabulary, size, tmp_path, monkeypatch):
    options = students.settings(size)
    path = tmp_path / "model.npz"
    path.write_bytes(students.npz(students.random_tensors(options), options))
    monkeypatch.setattr("tfcompress.models.marian_files.reading.Seq2SeqTransformer", None)
    with pytest.raises(InputError, match="`max_length` must be a whole number of at least 2"):
        tfc.models.from_marian_npz(path, vocabulary, max_length=length)


def test_alignments_of_another_layer(vocabulary, size, tmp_path):
    options = students.settings(size, **{"transformer-guided-alignment-layer": "1"})
    path = tmp_path / "model.npz"
    path.write_bytes(students.npz(students.random_tensors(options), options))
    with pytest.warns(InputWarning, match="transformer-guided-alignment-layer='1'"):
        tfc.models.from_marian_npz(path, vocabulary)


def test_average_attention_before_a_norm(vocabulary, size, tmp_path):
    options = students.settings(size, **PRE_NORM | AAN)
    path = tmp_path / "model.bin"
    path.write_bytes(students.bergamot(students.random_tensors(options), options))
    with pytest.raises(InputError, match="transformer-preprocess='n' instead of ''"):
        tfc.models.from_bergamot(path, vocabulary)


def test_vocabularies_that_do_not_match(vocabulary, size, tmp_path):
    options = students.settings(size)
    path = tmp_path / "model.bin"
    path.write_bytes(students.bergamot(students.random_tensors(options), options))

    def refused(vocabularies, message):
        with pytest.raises(InputError, match=message):
            tfc.models.from_bergamot(path, vocabularies)

    other = tmp_path / "other.spm"
    other.write_bytes(students.vocabulary(SENTENCES, 50))
    refused(other, f"where the model has {size} ids")
    refused([vocabulary, vocabulary, vocabulary], "3 files")
    refused(tmp_path / "nothing.spm", "No such file")
    refused(tmp_path / "model.bin", "no SentencePiece model")
    refused(tmp_path / "vocab.fsv", "Factored")
    other.write_bytes(students.vocabulary(size=size, user_defined_symbols=["X"]))
    if students.size_of(other.read_bytes()) == size:
        refused([vocabulary, other], "must have one vocabulary")
    other.write_bytes(students.vocabulary(size=size, bos_id=0, eos_id=2))
    refused(other, "Marian's vocabularies end sentences with id 0|where the model has")
    table = tmp_path / "vocab.yml"
    for content, message in {
        "[1]": "no mapping",
        "a: [1]": "no scalar",
        "a: &x 1\nb: *x": "no scalar",
        "a: b": "pieces and their ids",
        "a: 1\na: 2": "there twice",
        "a: 1\n  b: [": "pieces and their ids",
        "</s>: 0\n<unk>: 1\na: 5": f"of 3 pieces, where the model has {size}",
    }.items():
        table.write_text(content)
        refused(table, message)


def shortlist_bytes(sources, lists, first=3, checksum=None):
    """Bergamot's form, written from its description."""
    offsets = np.cumsum([0, *map(len, lists)])
    targets = np.concatenate([*lists, []]).astype("<u4")
    body = struct.pack("<4Q", first, 50, len(offsets), len(targets))
    body += offsets.astype("<u8").tobytes() + targets.tobytes()
    seed = 0
    for (value,) in struct.iter_unpack("<Q", body[: len(body) // 8 * 8]):
        seed ^= (value + 0x9E3779B9 + (seed << 6) + (seed >> 2)) % 2**64
    return struct.pack("<2Q", 0xF11A48D5013417F5, seed if checksum is None else checksum) + body


@pytest.fixture(scope="module")
def tokenizers(vocabulary, size):
    return marian_vocabularies(vocabulary, size, size, one_table=True)


def test_shortlists(tokenizers, size, tmp_path):
    source, target = tokenizers
    path = tmp_path / "lex.bin"
    lists = [[7, 9]] * size
    path.write_bytes(shortlist_bytes(size, lists))
    shortlist = tfc.text.read_bergamot_shortlist(path, source, target)
    assert shortlist.candidates([20, 30, 0]).tolist() == [0, 1, 2, 7, 9, 20, 30]
    assert shortlist.target_vocabulary_size == size + 1
    good = path.read_bytes()
    for content, message in {
        shortlist_bytes(size, lists[1:]): "must be for the model's vocabularies",
        shortlist_bytes(size, [[size], *lists[1:]]): "must be for the model's vocabularies",
        shortlist_bytes(size, lists, first=size + 1): "must be for the model's vocabularies",
        shortlist_bytes(size, lists, checksum=5): "checksum",
        good[:-4]: "bytes where its header tells",
        good[:20]: "no binary shortlist",
        b"TFCSHORT" + good[8:]: "no binary shortlist",
    }.items():
        path.write_bytes(content)
        with pytest.raises(InputError, match=message):
            tfc.text.read_bergamot_shortlist(path, source, target)


@settings(max_examples=40)
@given(place=st.integers(16, 60), value=st.sampled_from([0, 1, 255, 128]))
def test_altered_shortlists(tokenizers, size, place, value, tmp_path_factory):
    source, target = tokenizers
    content = bytearray(shortlist_bytes(size, [[7]] * size))
    if content[place] == value:
        return
    content[place] = value
    path = tmp_path_factory.getbasetemp() / "altered_lex.bin"
    path.write_bytes(content)
    with pytest.raises(InputError, match=path.name):
        tfc.text.read_bergamot_shortlist(path, source, target)


# Both formats.


FILE = students.random_tensors(students.settings(9, **{"enc-depth": 1, "dec-depth": 1}))
FILE = {name: value[:8, :8] for name, value in FILE.items() if name < "decoder_l1_d"}
OPTIONS = {"dim-emb": 8, "vocabs": ["a", "b"], "text": "ü"}


def formats(tmp_path):
    write_npz(tmp_path / "model.npz", FILE, OPTIONS)
    integers = {
        name: IntegerTensor.quantize(value) if len(value) > 1 else value
        for name, value in FILE.items()
    }
    write_bergamot(tmp_path / "model.bin", integers, OPTIONS)
    return {read_npz: tmp_path / "model.npz", read_bergamot: tmp_path / "model.bin"}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return formats(tmp_path_factory.mktemp("files"))


def test_what_was_written_is_read(files, tmp_path):
    for read, path in files.items():
        content = read(path)
        assert content.settings == OPTIONS
        assert content.tensors.keys() == FILE.keys()
        for name, value in FILE.items():
            actual = content.tensors[name]
            if isinstance(actual, IntegerTensor):
                integers, multiplier = students.quantize(value)
                np.testing.assert_array_equal(actual.values, integers)
                assert actual.multiplier == multiplier
            else:
                np.testing.assert_array_equal(actual, value)
    assert files[read_bergamot].read_bytes() == students.pack_items(
        list(_items(read_bergamot(files[read_bergamot])))
    )


def _items(content):
    for name, value in content.tensors.items():
        if isinstance(value, IntegerTensor):
            stored = value.values if "Wemb" in name else value.values.T
            data = np.ascontiguousarray(stored).tobytes() + value.multiplier.tobytes()
            yield name, students.INTGEMM8, value.shape, data
        else:
            yield name, students.FLOAT32, value.shape, value.tobytes()
    text = yaml.safe_dump(content.settings).encode() + b"\0"
    yield "special:model.yml", students.INT8, (len(text),), text


def refuses(read, path, content):
    path.write_bytes(content)
    with pytest.raises(InputError, match=path.name) as error:
        read(path)
    assert "\n" not in str(error.value)


@settings(max_examples=40)
@given(place=st.floats(0, 1, exclude_max=True))
def test_files_cut_anywhere(files, place, tmp_path_factory):
    for read, path in files.items():
        content = path.read_bytes()
        # The end of an archive repeats what is in it; only padding may go from the other.
        refuses(
            read,
            tmp_path_factory.getbasetemp() / f"cut{path.suffix}",
            content[: int(place * len(content))],
        )


@settings(max_examples=40)
@given(data=st.data())
def test_altered_files(files, data, tmp_path_factory):
    """Numbers of headers may be any other: an error, or tensors no larger than the file."""
    import tracemalloc

    for read, path in files.items():
        content = bytearray(path.read_bytes())
        header = min(len(content), 1200)
        for _ in range(data.draw(st.integers(1, 3))):
            place = data.draw(st.integers(0, header - 8))
            value = data.draw(st.sampled_from([0, 1, 2**31, 2**40, 2**63 - 1, 2**64 - 1, 257]))
            width = data.draw(st.sampled_from([1, 4, 8]))
            content[place : place + width] = struct.pack("<Q", value)[:width]
        altered = tmp_path_factory.getbasetemp() / f"altered{path.suffix}"
        altered.write_bytes(content)
        tracemalloc.start()
        with contextlib.suppress(InputError):
            read(altered)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 50 * len(content) + 2**22


@pytest.mark.parametrize("read", [read_npz, read_bergamot])
@pytest.mark.parametrize("content", [b"", b"x", b"PK\3\4", bytes(64), b"[1]" * 400])
def test_other_files(read, content, tmp_path):
    refuses(read, tmp_path / "model", content)
    with pytest.raises(InputError, match="cannot be read"):
        read(tmp_path / "nothing")
