"""Tokenizers of published folders give the publisher's ids."""

import json
import pickle

import pytest
import sentencepiece
import tokenizers
from flavours import one_flavour
from mixed_scripts import mixed_lines
from published_tokenizers import (
    BERT,
    DEFINITIONS,
    ROBERTA,
    TOKENS,
    added,
    published,
    sentencepiece_model,
    unigram_definition,
    write,
)
from text_vocabularies import DIFFICULT, WORDPIECES, byte_pairs

from tfcompress.errors import InputError
from tfcompress.text import encode_texts, load_text_tokenizer, text_tokenizer
from tfcompress.text.published_definitions import byte_pair_definition, wordpiece_definition

pytestmark = one_flavour

LINES = [*DIFFICULT, *mixed_lines(300, tokens=TOKENS)]
VOCABULARY = "".join(f"{piece}\n" for piece in WORDPIECES).encode()
SIZE = len(WORDPIECES)


def byte_pair_files():
    vocabulary, merges = byte_pairs()
    return {"vocab.json": vocabulary, "merges.txt": "\n".join(["#version: 0.2", *merges]).encode()}


def pieces(folder, text):
    """The pieces of a text between begin and end."""
    tokenizer = load_text_tokenizer(folder)
    (ids,) = tokenizer.encode([text])
    by_id = {number: piece for piece, number in tokenizer._ids.items()}
    return [by_id[number] for number in ids]


@pytest.mark.parametrize("name", DEFINITIONS)
def test_ids_are_those_of_the_package_tokenizers(name, tmp_path):
    definition = published(name).definition
    content = json.dumps(definition).encode()
    reference = tokenizers.Tokenizer.from_str(content.decode())
    # What a file asks for beside, as MiniLM's does, is not the tokenizer's.
    reference.enable_truncation(4)
    pad = next(piece for piece in ("[PAD]", "<pad>") if reference.token_to_id(piece) is not None)
    reference.enable_padding(length=4, pad_token=pad)
    write(tmp_path, {"tokenizer.json": reference.to_str().encode()})
    loaded = load_text_tokenizer(tmp_path)
    reference.no_truncation()
    reference.no_padding()
    expected = [reference.encode(line, add_special_tokens=False).ids for line in LINES]
    assert loaded.encode(LINES) == expected
    again = text_tokenizer(json.loads(json.dumps(loaded.settings())), loaded.files())
    assert again.encode(LINES) == expected
    assert (again.settings(), again.files()) == (loaded.settings(), loaded.files())
    hidden = {loaded.pad_id, loaded.start_id, loaded.end_id}
    shown = [[number for number in row if number not in hidden] for row in expected[:50]]
    texts = [reference.decode(row, skip_special_tokens=False) for row in shown]
    assert loaded.decode(expected[:50]) == texts


@pytest.mark.parametrize(
    ("config", "normalizer"),
    [
        (None, {}),
        ({"do_lower_case": False}, {"lowercase": False}),
        (
            {"strip_accents": True, "do_lower_case": False},
            {"lowercase": False, "strip_accents": True},
        ),
        ({"strip_accents": False}, {"strip_accents": False}),
        ({"strip_accents": None, "tokenize_chinese_chars": False}, {"handle_chinese_chars": False}),
    ],
)
def test_a_vocabulary_alone_has_the_rules_of_bert(config, normalizer, tmp_path):
    """In words of the package tokenizers; with a `tokenizer.json` the configuration counts too."""
    options = {"clean_text": True, "handle_chinese_chars": True, "lowercase": True}
    ids = {piece: number for number, piece in enumerate(WORDPIECES)}
    reference = tokenizers.Tokenizer(tokenizers.models.WordPiece(ids, unk_token="[UNK]"))
    reference.normalizer = tokenizers.normalizers.BertNormalizer(**options | normalizer)
    reference.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    reference.add_special_tokens([*BERT.values()])
    expected = [reference.encode(line).ids for line in LINES]
    settings = {} if config is None else {"tokenizer_config.json": config}
    write(tmp_path / "vocabulary", {"vocab.txt": VOCABULARY} | settings)
    whole = wordpiece_definition(WORDPIECES, BERT, {})
    write(tmp_path / "whole", {"tokenizer.json": whole} | settings)
    for folder in ("vocabulary", "whole"):
        tokenizer = load_text_tokenizer(tmp_path / folder)
        assert tokenizer.encode(LINES) == expected
        special = tokenizer.pad_id, tokenizer.unk_id, tokenizer.start_id, tokenizer.end_id
        assert special == (0, 1, 2, 3)


def test_odd_spaces_and_letters(tmp_path):
    write(tmp_path, {"vocab.txt": VOCABULARY})
    assert pieces(tmp_path, "it\u00a0be\u2009\tit") == ["it", "be", "it"]
    assert pieces(tmp_path, "i\u200bt\0 b\u00ade") == ["it", "be"]
    # Keras-nlp's rules make "ss" of it.
    assert pieces(tmp_path, "aß ½ ²") == ["a", "##ß", "½", "²"]
    assert pieces(tmp_path, "be[SEP]be [sep]")[:3] == ["be", "[SEP]", "be"]
    assert pieces(tmp_path, "be[SEP]be [sep]")[3] == "["


@pytest.mark.parametrize("prefix", [None, False, True])
def test_byte_pairs(prefix, tmp_path):
    config = {} if prefix is None else {"add_prefix_space": prefix}
    write(tmp_path, byte_pair_files() | {"tokenizer_config.json": config})
    vocabulary, merges = byte_pairs()
    reference = tokenizers.Tokenizer(
        tokenizers.models.BPE(vocabulary, [tuple(merge.split()) for merge in merges])
    )
    reference.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=bool(prefix))
    mask = tokenizers.AddedToken("<mask>", lstrip=True, special=True, normalized=False)
    reference.add_special_tokens([*[*ROBERTA.values()][:4], mask])
    tokenizer = load_text_tokenizer(tmp_path)
    assert tokenizer.encode(LINES) == [reference.encode(line).ids for line in LINES]
    assert pieces(tmp_path, "the <mask>")[-1] == "<mask>"
    assert (tokenizer.pad_id, tokenizer.start_id, tokenizer.end_id) == (1, 0, 2)
    ids, _ = encode_texts(tokenizer, ["the", ""], max_length=9)
    assert ids[1].tolist()[:3] == [0, 2, 1]
    write(tmp_path, {"tokenizer.json": byte_pair_definition(vocabulary, merges, ROBERTA, {})})
    assert load_text_tokenizer(tmp_path).encode(LINES) == tokenizer.encode(LINES)


def lowered(text):
    strip = tokenizers.normalizers.Sequence(
        [tokenizers.normalizers.NFKD(), tokenizers.normalizers.StripAccents()]
    )
    return strip.normalize_str(text).lower()


@pytest.mark.parametrize(
    ("config", "change"),
    [
        (None, lowered),
        ({"do_lower_case": False, "keep_accents": True}, str),
        ({"do_lower_case": True, "keep_accents": True}, str.lower),
    ],
)
def test_albert(config, change, tmp_path):
    """SentencePiece itself splits what the settings leave of a text."""
    files = {"spiece.model": sentencepiece_model()}
    write(tmp_path, files if config is None else files | {"tokenizer_config.json": config})
    tokenizer = load_text_tokenizer(tmp_path)
    model = sentencepiece.SentencePieceProcessor(model_proto=sentencepiece_model())
    texts = ["The Quick Brown Fox", "ÉTÉ naïve", " two  spaces\u3000", "ﬁne ½", "``It''", "", "\t"]
    expected = [model.encode(change(text).replace("``", '"').replace("''", '"')) for text in texts]
    assert tokenizer.encode(texts) == expected
    assert (1 in tokenizer.encode(["The"])[0]) == (change is str)
    # Special pieces are recognized, the mask with the space before it.
    (ids,) = tokenizer.encode(["it [MASK][SEP]runs"])
    assert ids == [*model.encode("it"), 4, 3, *model.encode("runs")]
    again = text_tokenizer(json.loads(json.dumps(tokenizer.settings())), tokenizer.files())
    for other in (again, pickle.loads(pickle.dumps(tokenizer))):
        assert other.encode([*texts, *LINES]) == tokenizer.encode([*texts, *LINES])


def test_albert_with_added_tokens(tmp_path):
    files = {"spiece.model": sentencepiece_model(), "added_tokens.json": {"New Word": 500}}
    tokenizer = load_text_tokenizer(write(tmp_path, files))
    (ids,) = tokenizer.encode(["it New Word runs"])
    assert 500 in ids
    assert tokenizer.vocabulary_size == 501
    assert tokenizer.decode([ids]) == ["it New Word runs"]
    flat, row_splits = tokenizer.encode_corpus(["it New Word runs", "", "it"])
    assert flat.tolist() == [*ids, *tokenizer.encode(["it"])[0]]
    assert row_splits.tolist() == [0, len(ids), len(ids), len(flat)]
    with pytest.raises(InputError, match=r"no tf\.data form.*Use encode"):
        tokenizer.tokenize_dataset(None)


ADDED = {
    "in a file of their own": {"added_tokens.json": {"covid": SIZE, "[TIME]": SIZE + 1}},
    "in the settings": {
        "tokenizer_config.json": {
            "added_tokens_decoder": {
                str(SIZE + number): {"content": content, "special": False, "normalized": True}
                for number, content in enumerate(["covid", "[TIME]"])
            }
        }
    },
    "as special ones": {
        "special_tokens_map.json": {"additional_special_tokens": ["covid", "[TIME]"]}
    },
}


@pytest.mark.parametrize("files", ADDED.values(), ids=ADDED)
def test_added_tokens(files, tmp_path):
    write(tmp_path, {"vocab.txt": VOCABULARY} | files)
    tokenizer = load_text_tokenizer(tmp_path)
    assert tokenizer.vocabulary_size == SIZE + 2
    assert pieces(tmp_path, "becovid [TIME] be") == ["be", "covid", "[TIME]", "be"]
    again = text_tokenizer(tokenizer.settings(), tokenizer.files())
    assert again.encode(LINES) == tokenizer.encode(LINES)


def test_special_pieces_are_those_that_are_named(tmp_path):
    names = {
        "pad_token": "it",
        "unk_token": "un",
        "cls_token": {"content": "run"},
        "sep_token": "be",
    }
    write(tmp_path, {"vocab.txt": VOCABULARY, "special_tokens_map.json": names})
    tokenizer = load_text_tokenizer(tmp_path)
    expected = [WORDPIECES.index(piece) for piece in ("it", "un", "run", "be")]
    found = [tokenizer.pad_id, tokenizer.unk_id, tokenizer.start_id, tokenizer.end_id]
    assert found == expected
    # What a tokenizer.json puts around texts counts.
    processor = {"type": "BertProcessing", "cls": ["<s>", 5], "sep": ["</s>", 6]}
    definition = unigram_definition(post_processor=processor)
    write(tmp_path / "whole", {"tokenizer.json": definition})
    with pytest.raises(InputError, match="without '<s>', '</s>'"):
        load_text_tokenizer(tmp_path / "whole")


def test_a_vocabulary_with_gaps_and_doubles(tmp_path):
    """Of equal lines the last counts, and empty ones stand for nothing, as for the publisher."""
    write(tmp_path, {"vocab.txt": b"[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n\na\nb\n"})
    tokenizer = load_text_tokenizer(tmp_path)
    assert tokenizer.encode(["a b"]) == [[6, 7]]
    assert tokenizer.vocabulary_size == 8


def test_sentence_encoders_may_have_a_folder_for_the_transformer(tmp_path):
    modules = [{"type": "x.Transformer", "path": "0_Transformer"}]
    write(tmp_path, {"modules.json": modules, "0_Transformer/vocab.txt": VOCABULARY})
    assert pieces(tmp_path, "It runs") == ["it", "runs"]
    sentences = {"0_Transformer/sentence_bert_config.json": {"do_lower_case": True}}
    write(tmp_path, sentences)
    assert pieces(tmp_path, "It runs") == ["it", "runs"]
    write(tmp_path, {"0_Transformer/tokenizer_config.json": {"do_lower_case": False}})
    with pytest.raises(InputError, match=r"do_lower_case is not supported .*bert_config\.json"):
        load_text_tokenizer(tmp_path)
    write(tmp_path, {"modules.json": {}})
    with pytest.raises(InputError, match="no list of modules"):
        load_text_tokenizer(tmp_path)


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize(
    "setting",
    [
        {"word_tokenizer_type": "mecab"},
        {"subword_tokenizer_type": "character"},
        {"mecab_kwargs": {"mecab_dic": "ipadic"}},
        {"never_split": ["covid"]},
        {"do_basic_tokenize": False},
        {"split_special_tokens": True},
        {"remove_space": False},
        {"sp_model_kwargs": {"enable_sampling": True}},
        {"truncation_side": "left"},
    ],
    ids=lambda setting: next(iter(setting)),
)
def test_settings_that_are_not_supported_are_named(setting, whole, tmp_path):
    definition = wordpiece_definition(WORDPIECES, BERT, {})
    tokenizer = {"tokenizer.json": definition} if whole else {"vocab.txt": VOCABULARY}
    write(tmp_path, {"tokenizer_config.json": setting} | tokenizer)
    with pytest.raises(
        InputError, match=rf"not supported.*config\.json with {next(iter(setting))} "
    ):
        load_text_tokenizer(tmp_path)
    nothing = {"tokenizer_config.json": dict.fromkeys(setting)}
    write(tmp_path, nothing)
    assert load_text_tokenizer(tmp_path).vocabulary_size == SIZE


@pytest.mark.parametrize(
    ("kind", "files"),
    [
        ("BertJapaneseTokenizer", {"vocab.txt": VOCABULARY}),
        ("CLIPTokenizer", byte_pair_files()),
        ("XLNetTokenizerFast", {"spiece.model": sentencepiece_model()}),
    ],
)
def test_classes_of_tokenizers(kind, files, tmp_path):
    write(tmp_path, files | {"tokenizer_config.json": {"tokenizer_class": kind}})
    with pytest.raises(InputError, match=rf"with tokenizer_class '{kind}' without tokenizer\.json"):
        load_text_tokenizer(tmp_path)


@pytest.mark.parametrize("within", ["", "0_Transformer/"])
def test_a_prompt_before_every_text_is_refused(within, tmp_path):
    if within:
        modules = [{"type": "x.Transformer", "path": within}]
        write(tmp_path, {"modules.json": modules})
    write(tmp_path, {f"{within}vocab.txt": VOCABULARY})
    name = "config_sentence_transformers.json"
    prompts = {"query": "query: ", "nothing": ""}
    for chosen, message in [("query", "'query', 'query: ',"), ("other", "'other', None,")]:
        write(tmp_path, {name: {"prompts": prompts, "default_prompt_name": chosen}})
        with pytest.raises(InputError, match=rf"default_prompt_name {message} in .*formers\.json"):
            load_text_tokenizer(tmp_path)
    for chosen in (None, "nothing"):
        write(tmp_path, {name: {"prompts": prompts, "default_prompt_name": chosen}})
        assert load_text_tokenizer(tmp_path).vocabulary_size == SIZE
    write(tmp_path, {name: {"prompts": prompts}})
    assert load_text_tokenizer(tmp_path).vocabulary_size == SIZE


def definition_of(**parts):
    return wordpiece_definition(WORDPIECES, BERT, {}) | parts


TEMPLATE = {
    "type": "TemplateProcessing",
    "single": [
        {"SpecialToken": {"id": "[CLS]", "type_id": 0}},
        {"Sequence": {"id": "A", "type_id": 0}},
    ],
    "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
    "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]}},
}
PAIRS = byte_pair_definition(*byte_pairs(), ROBERTA, {})
WRONG = {
    "the normalizer ByteLevel": definition_of(normalizer={"type": "ByteLevel"}),
    "the pre_tokenizer UnicodeScripts": definition_of(
        pre_tokenizer={"type": "Sequence", "pretokenizers": [{"type": "UnicodeScripts"}]}
    ),
    "pattern .* of the normalizer Replace": definition_of(
        normalizer={"type": "Replace", "pattern": {"Regex": "a+"}, "content": "b"}
    ),
    "the model WordLevel": definition_of(
        model={"type": "WordLevel", "vocab": {"[PAD]": 0, "[UNK]": 1}, "unk_token": "[UNK]"}
    ),
    "prepend_scheme 'first'": definition_of(
        pre_tokenizer={"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first"}
    ),
    "dropout 0.5 of the model BPE": PAIRS | {"model": PAIRS["model"] | {"dropout": 0.5}},
    "end_of_word_suffix '</w>'": PAIRS | {"model": PAIRS["model"] | {"end_of_word_suffix": "</w>"}},
    "unk_id None of the model Unigram": unigram_definition(
        model=unigram_definition()["model"] | {"unk_id": None}
    ),
    r"one begin and one end around a text. Received: \[CLS\]": definition_of(
        post_processor=TEMPLATE
    ),
    "Truncation at the Left": definition_of(
        truncation={"direction": "Left", "max_length": 9, "strategy": "LongestFirst", "stride": 0}
    ),
    "'new' with the id 900, which would get": definition_of(
        added_tokens=[added(piece, i) for i, piece in enumerate(WORDPIECES[:5])]
        + [added("new", 900)]
    ),
    r"without '\[UNK\]'": definition_of(
        model={**definition_of()["model"], "vocab": {"[PAD]": 0, "[CLS]": 1, "[SEP]": 2}},
        added_tokens=[],
        post_processor=None,
    ),
    "cannot be used": {"model": {"type": "WordPiece"}},
    "cannot be used.*tokenizer.json": definition_of(added_tokens=[3]),
}


@pytest.mark.parametrize("message", WRONG)
def test_definitions_that_are_not_supported(message, tmp_path):
    write(tmp_path, {"tokenizer.json": WRONG[message]})
    with pytest.raises(InputError, match=message):
        load_text_tokenizer(tmp_path)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"tokenizer_config.json": b"{"}, r"no JSON.*tokenizer_config\.json"),
        ({"tokenizer_config.json": []}, "is no JSON object"),
        ({"tokenizer.json": b"[" * 100_000}, r"no JSON.*tokenizer\.json"),
        ({"vocab.txt": b"[PAD]"}, r"without '\[UNK\]', '\[CLS\]', '\[SEP\]'"),
        ({"vocab.txt": b"\xff"}, "not UTF-8. Received: .*, byte 0"),
        ({"added_tokens.json": {"a": "b"}}, r"settings cannot be used \(TypeError"),
        (
            {"tokenizer_config.json": {"added_tokens_decoder": {"x": {}}}},
            "special token .* Received: {}",
        ),
        ({"tokenizer_config.json": {"added_tokens_decoder": ["x"]}}, "settings cannot be used"),
        ({"tokenizer_config.json": {"additional_special_tokens": 3}}, "settings cannot be used"),
        ({"modules.json": [{"path": 3}]}, r"no list of modules.*modules\.json"),
        ({"special_tokens_map.json": {"cls_token": 3}}, "special token .* Received: 3"),
        ({"vocab.json": {"a": 0}, "merges.txt": b""}, "without '<pad>', '<s>', '</s>'"),
    ],
)
def test_files_that_cannot_be_used(files, message, tmp_path):
    vocabulary = {} if "vocab.json" in files else {"vocab.txt": VOCABULARY}
    write(tmp_path, vocabulary | files)
    with pytest.raises(InputError, match=message):
        load_text_tokenizer(tmp_path)


def test_pickled():
    tokenizer = published("added")
    again = pickle.loads(pickle.dumps(tokenizer))
    assert again.encode(LINES) == tokenizer.encode(LINES)
    assert again.files() == tokenizer.files()


def test_settings_of_another_tokenizer():
    tokenizer = published("bert")
    for wrong in (99_999, True, -1, "x", 1.5):
        with pytest.raises(InputError, match=r"special id|special pieces|must be a whole"):
            text_tokenizer(tokenizer.settings() | {"start_id": wrong}, tokenizer.files())
    with pytest.raises(InputError, match=r"no JSON object.*tokenizer\.json"):
        text_tokenizer(tokenizer.settings(), {"tokenizer.json": b"[]"})
