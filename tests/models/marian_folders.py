"""MarianMT and M2M100 folders with random weights, and what such models compute, in numpy."""

import json
import math

import numpy as np
import sentencepiece
from safetensors.numpy import save_file
from scipy.special import erf

SENTENCES = [
    "two dogs play in the snow",
    "a man rides a red bicycle",
    "children run along the beach",
    "the woman reads a book under a tree",
    "people walk on the street at night .",
]
TRANSLATED = [
    "zwei hunde spielen im schnee",
    "ein mann fährt ein rotes fahrrad",
    "kinder laufen am strand entlang",
    "die frau liest ein buch unter einem baum",
    "leute gehen nachts auf der straße .",
]
SIZES = {
    "d_model": 16,
    "encoder_layers": 2,
    "decoder_layers": 1,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 24,
    "decoder_ffn_dim": 40,
}
DAMAGES = ("missing", "empty", "cut", "text")
ACTIVATIONS = {
    "relu": lambda x: np.maximum(x, 0),
    "swish": lambda x: x / (1 + np.exp(-x)),
    "gelu": lambda x: x * (1 + erf(x / math.sqrt(2))) / 2,
}


def train_pieces(sentences, size, model_type="unigram"):
    """The bytes of a SentencePiece model as OPUS-MT's are: unk, begin and end first, no padding."""
    import io

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences),
        model_writer=model,
        vocab_size=size,
        model_type=model_type,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    return model.getvalue()


def pieces_of(model):
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    pieces = [processor.id_to_piece(id) for id in range(processor.get_piece_size())]
    return [piece for piece in pieces if piece not in ("<unk>", "<s>", "</s>")]


def write_tokenizers(folder, *, separate=False, left_out=(), codes=(), model_type="unigram"):
    """Writes both models and their vocabularies, in an order of their own; returns the sizes."""
    folder.mkdir(parents=True, exist_ok=True)
    pieces = {}
    for side, sentences in (("source", SENTENCES), ("target", TRANSLATED)):
        model = train_pieces(sentences, 60, model_type)
        (folder / f"{side}.spm").write_bytes(model)
        pieces[side] = pieces_of(model)

    def vocabulary(*sides):
        names = dict.fromkeys(piece for side in sides for piece in pieces[side])
        names = [name for name in sorted(names, reverse=True) if name not in left_out]
        return {p: i for i, p in enumerate(["</s>", "<unk>", *names, *codes, "<pad>"])}

    if separate:
        size = min(len(vocabulary("source")), len(vocabulary("target")))
        both = {"vocab.json": vocabulary("source"), "target_vocab.json": vocabulary("target")}
        for name, ids in both.items():
            # One id of padding for both, as MarianMT has it.
            last = {id: piece for piece, id in ids.items()}[size - 1]
            ids["<pad>"], ids[last] = size - 1, ids["<pad>"]
            (folder / name).write_text(json.dumps(ids))
        sizes = tuple(map(len, both.values()))
    else:
        ids = vocabulary("source", "target")
        (folder / "vocab.json").write_text(json.dumps(ids))
        sizes = (len(ids), len(ids))
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"source_lang": "en", "target_lang": "de", "separate_vocabs": separate})
    )
    return sizes


def settings(sizes, pad, **changes):
    return {
        "model_type": "marian",
        "is_encoder_decoder": True,
        "vocab_size": sizes[0],
        "decoder_vocab_size": sizes[1],
        **SIZES,
        "activation_function": "swish",
        "dropout": 0.1,
        "attention_dropout": 0.0,
        "activation_dropout": 0.0,
        "max_position_embeddings": 64,
        "scale_embedding": True,
        "static_position_embeddings": True,
        "share_encoder_decoder_embeddings": True,
        "pad_token_id": pad,
        "eos_token_id": 0,
        "bos_token_id": 0,
        "forced_eos_token_id": 0,
        "decoder_start_token_id": pad,
    } | changes


def random_tensors(config, seed=0):
    rng = np.random.default_rng(seed)
    width = config["d_model"]

    def array(*shape):
        return rng.normal(0, 0.4, shape).astype(np.float32)

    is_marian = config["model_type"] == "marian"
    sizes = config["vocab_size"], config.get("decoder_vocab_size", config["vocab_size"])
    tensors = {}
    if is_marian:
        tensors["final_logits_bias"] = array(1, sizes[1])
    elif not config["tie_word_embeddings"]:
        tensors["lm_head.weight"] = array(sizes[1], width)
    if config.get("share_encoder_decoder_embeddings", config.get("tie_word_embeddings", True)):
        tensors["model.shared.weight"] = array(sizes[0], width)
    else:
        tensors["model.encoder.embed_tokens.weight"] = array(sizes[0], width)
        tensors["model.decoder.embed_tokens.weight"] = array(sizes[1], width)
    for side in ("encoder", "decoder"):
        for index in range(config[f"{side}_layers"]):
            name, inner = f"model.{side}.layers.{index}", config[f"{side}_ffn_dim"]
            for kind in ["self_attn", "encoder_attn"][: 1 + (side == "decoder")]:
                for part in "qkv":
                    tensors[f"{name}.{kind}.{part}_proj.weight"] = array(width, width)
                    tensors[f"{name}.{kind}.{part}_proj.bias"] = array(width)
                tensors[f"{name}.{kind}.out_proj.weight"] = array(width, width)
                tensors[f"{name}.{kind}.out_proj.bias"] = array(width)
                tensors[f"{name}.{kind}_layer_norm.weight"] = 1 + array(width)
                tensors[f"{name}.{kind}_layer_norm.bias"] = array(width)
            tensors[f"{name}.fc1.weight"], tensors[f"{name}.fc1.bias"] = (
                array(inner, width),
                array(inner),
            )
            tensors[f"{name}.fc2.weight"], tensors[f"{name}.fc2.bias"] = (
                array(width, inner),
                array(width),
            )
            tensors[f"{name}.final_layer_norm.weight"] = 1 + array(width)
            tensors[f"{name}.final_layer_norm.bias"] = array(width)
        if not is_marian:
            tensors[f"model.{side}.layer_norm.weight"] = 1 + array(width)
            tensors[f"model.{side}.layer_norm.bias"] = array(width)
    return tensors


def write_random_model(folder, **tokenizers):
    """Writes a whole folder with random weights."""
    sizes = write_tokenizers(folder, **tokenizers)
    config = settings(sizes, sizes[0] - 1)
    tensors = random_tensors(config)
    write_folder(folder, config, tensors)
    return config, tensors


def write_folder(folder, config, tensors, *, dtype="float32", shards=1):
    (folder / "config.json").write_text(json.dumps(config))
    import ml_dtypes

    kinds = {"float32": np.float32, "float16": np.float16, "bfloat16": ml_dtypes.bfloat16}
    tensors = {name: value.astype(kinds[dtype]) for name, value in tensors.items()}
    if shards == 1:
        save_file(tensors, folder / "model.safetensors")
        return
    names, places = sorted(tensors), {}
    for number in range(shards):
        file = f"model-{number + 1:05}-of-{shards:05}.safetensors"
        part = names[number::shards]
        save_file({name: tensors[name] for name in part}, folder / file)
        places |= dict.fromkeys(part, file)
    index = {"metadata": {}, "weight_map": places}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def sinusoids(length, width):
    half = width // 2
    angles = np.arange(length)[:, None] / 10000 ** (2 * np.arange(half) / width)
    return np.concatenate([np.sin(angles), np.cos(angles)], 1)


def offset_sinusoids(length, width, first=2):
    half = width // 2
    rates = 10000.0 ** (-np.arange(half) / (half - 1))
    angles = np.arange(first, first + length)[:, None] * rates
    return np.concatenate([np.sin(angles), np.cos(angles)], 1)


def forward(config, tensors, source, target):
    """What the encoder gives for a row of source ids, and the logits of target inputs."""
    is_marian = config["model_type"] == "marian"
    weights = {name: value.astype(np.float64) for name, value in tensors.items()}
    width = config["d_model"]
    act = ACTIVATIONS[config["activation_function"]]
    shared = weights.get("model.shared.weight")
    tables = {
        side: shared if shared is not None else weights[f"model.{side}.embed_tokens.weight"]
        for side in ("encoder", "decoder")
    }

    def dense(name, x):
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def norm(name, x):
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
        return x * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def attend(name, x, memory, heads, causal):
        size = width // heads
        query, key, value = (
            dense(f"{name}.{part}_proj", y).reshape(len(y), heads, size).swapaxes(0, 1)
            for part, y in (("q", x), ("k", memory), ("v", memory))
        )
        scores = query @ key.swapaxes(1, 2) * size**-0.5
        if causal:
            scores += np.triu(np.full(scores.shape[1:], -np.inf), 1)
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        rows = scores / scores.sum(-1, keepdims=True) @ value
        return dense(f"{name}.out_proj", rows.swapaxes(0, 1).reshape(len(x), width))

    def embed(side, ids):
        scale = width**0.5 if config["scale_embedding"] else 1
        positions = (sinusoids if is_marian else offset_sinusoids)(len(ids), width)
        return tables[side][ids] * scale + positions

    def residual(name, x, function):
        return norm(name, x + function(x)) if is_marian else x + function(norm(name, x))

    def stack(side, x, memory=None):
        heads = config[f"{side}_attention_heads"]
        for index in range(config[f"{side}_layers"]):
            name = f"model.{side}.layers.{index}"
            parts = {
                "self_attn": lambda y, name=name: attend(
                    f"{name}.self_attn", y, y, heads, side == "decoder"
                ),
                "encoder_attn": lambda y, name=name: attend(
                    f"{name}.encoder_attn", y, memory, heads, False
                ),
            }
            for part in [*parts][: 1 + (memory is not None)]:
                x = residual(f"{name}.{part}_layer_norm", x, parts[part])
            x = residual(
                f"{name}.final_layer_norm",
                x,
                lambda y, name=name: dense(f"{name}.fc2", act(dense(f"{name}.fc1", y))),
            )
        return x if is_marian else norm(f"model.{side}.layer_norm", x)

    memory = stack("encoder", embed("encoder", source))
    hidden = stack("decoder", embed("decoder", target), memory)
    output = weights.get("lm_head.weight", tables["decoder"])
    return memory, hidden @ output.T + weights.get("final_logits_bias", [0])[0]


def damage_file(path, damage):
    """Spoils a file, in one of the ways of `DAMAGES`."""
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        cut = content[: len(content) // 2]
        path.write_bytes({"empty": b"", "cut": cut, "text": b"[1]"}[damage])


def write_changed(plain, change):
    """Writes a folder again with other settings or tensors.

    Args:
        plain: The folder, its settings and its tensors.
        change: Returns others.
    """
    folder, *content = plain
    write_folder(folder, *change(*content))
    return folder


def without(name):
    """A change for `write_changed`: a tensor is missing."""
    return lambda config, tensors: (config, {k: v for k, v in tensors.items() if k != name})


def reshaped(name, shape, dtype=np.float32):
    """A tensor of zeros has another shape, or is there at all."""
    return lambda config, tensors: (config, tensors | {name: np.zeros(shape, dtype)})


def setting(**changes):
    """Settings are others."""
    return lambda config, tensors: (config | changes, tensors)
