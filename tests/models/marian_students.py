"""Students in Marian's own files with random weights, and what they compute, in numpy."""

import io
import struct

import numpy as np
import sentencepiece
import yaml
from models.marian_folders import ACTIVATIONS, SENTENCES, TRANSLATED

WIDTH, INNER, HEADS = 32, 48, 4
FLOAT32, INT8, INTGEMM8 = 0x404, 0x101, 0x4101
# The alpha of every product.
ALPHA = np.float32(14)


def vocabulary(sentences=(*SENTENCES, *TRANSLATED), size=90, **options):
    """The bytes of a SentencePiece model as Mozilla trains them: end 0, unknown 1, no begin."""
    model = io.BytesIO()
    settings = {"bos_id": -1, "eos_id": 0, "unk_id": 1, "hard_vocab_limit": False} | options
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences),
        model_writer=model,
        vocab_size=size,
        minloglevel=2,
        **settings,
    )
    return model.getvalue()


def size_of(model):
    return sentencepiece.SentencePieceProcessor(model_proto=model).get_piece_size()


def settings(size, **changes):
    """Options as Marian writes them for Bergamot's students."""
    sizes = list(size) if isinstance(size, tuple) else [size, size]
    return {
        "type": "transformer",
        "dim-emb": WIDTH,
        "dim-vocabs": sizes,
        "enc-depth": 2,
        "dec-depth": 2,
        "transformer-heads": HEADS,
        "transformer-dim-ffn": INNER,
        "transformer-ffn-activation": "relu",
        "transformer-ffn-depth": 2,
        "transformer-decoder-autoreg": "rnn",
        "dec-cell": "ssru",
        "transformer-preprocess": "",
        "transformer-postprocess": "dan",
        "transformer-postprocess-emb": "d",
        "transformer-postprocess-top": "",
        "transformer-dim-aan": INNER,
        "tied-embeddings-all": True,
        "tied-embeddings": False,
        "tied-embeddings-src": False,
        "transformer-tied-layers": [],
        "lemma-dim-emb": 0,
        "layer-normalization": False,
    } | changes


def random_tensors(options, seed=0):
    """Random weights by Marian's names."""
    rng = np.random.default_rng(seed)
    width, tensors = options["dim-emb"], {}
    first = options["transformer-preprocess"] == "n"

    def matrix(name, rows, columns):
        tensors[name] = rng.normal(0, 1.6 / np.sqrt(rows), (rows, columns))

    def dense(name, part, rows, columns):
        matrix(f"{name}_W{part}", rows, columns)
        tensors[f"{name}_b{part}"] = rng.normal(0, 0.3, (1, columns))

    def norm(name, end="_pre" if first else ""):
        tensors[f"{name}_ln_scale{end}"] = 1 + rng.normal(0, 0.2, (1, width))
        tensors[f"{name}_ln_bias{end}"] = rng.normal(0, 0.2, (1, width))

    def attention(name):
        for part in "qkvo":
            dense(name, part, width, width)
        norm(f"{name}_Wo")

    def feed_forward(name, inner):
        dense(name, "1", width, inner)
        dense(name, "2", inner, width)
        norm(f"{name}_ffn")

    sizes = options["dim-vocabs"]
    tables = {"Wemb": sizes[0]}
    if not (options["tied-embeddings-all"] or options["tied-embeddings-src"]):
        tables = {"encoder_Wemb": sizes[0], "decoder_Wemb": sizes[1]}
    for name, rows in tables.items():
        tensors[name] = rng.normal(0, 1.6 * width**-0.5, (rows, width))
    if not (options["tied-embeddings-all"] or options["tied-embeddings"]):
        matrix("decoder_ff_logit_out_Wt", sizes[1], width)
    if options.get("transformer-train-position-embeddings"):
        tensors["Wpos"] = rng.normal(0, 0.5, (24, width))
    for index in range(1, options["enc-depth"] + 1):
        attention(f"encoder_l{index}_self")
        feed_forward(f"encoder_l{index}_ffn", options["transformer-dim-ffn"])
    inner = options.get("transformer-decoder-dim-ffn") or options["transformer-dim-ffn"]
    for index in range(1, options["dec-depth"] + 1):
        name = f"decoder_l{index}"
        if options["transformer-decoder-autoreg"] == "rnn":
            matrix(f"{name}_rnn_W", width, width)
            dense(f"{name}_rnn", "f", width, width)
            if options.get("transformer-rnn-projection"):
                dense(f"{name}_rnn", "o", width, width)
            norm(f"{name}_rnn" if first else f"{name}_rnn_ffn")
        elif options["transformer-decoder-autoreg"] == "average-attention":
            if options.get("transformer-aan-depth", 2) == 2:
                dense(f"{name}_aan", "1", width, options["transformer-dim-aan"])
                if options["transformer-dim-aan"] != width:
                    dense(f"{name}_aan", "2", options["transformer-dim-aan"], width)
            if not options.get("transformer-aan-nogate"):
                dense(f"{name}_aan", "i", width, width)
                dense(f"{name}_aan", "f", width, width)
            norm(f"{name}_aan_ffn")
        else:
            attention(f"{name}_self")
        attention(f"{name}_context")
        feed_forward(f"{name}_ffn", inner)
    if options["transformer-postprocess-top"]:
        norm("encoder_top", "")
        norm("decoder_top", "")
    if not options.get("output-omit-bias"):
        bias = rng.normal(0, 0.5, (1, sizes[1]))
        bias[0, 0] += 2
        tensors["decoder_ff_logit_out_b"] = bias
    return {name: value.astype(np.float32) for name, value in tensors.items()}


def npz(tensors, options):
    text = yaml.safe_dump(options).encode() + b"\0"
    file = io.BytesIO()
    np.savez(file, **tensors, **{"special:model.yml": np.frombuffer(text, np.int8)})
    return file.getvalue()


def is_product(name, value):
    return value.ndim == 2 and value.shape[0] > 1 and name != "Wpos"


def quantize(value):
    """The integers of a matrix, and what its weights were multiplied by."""
    multiplier = np.float32(127 / np.abs(value).max())
    return np.clip(np.rint(value * multiplier), -127, 127).astype(np.int8), multiplier


def dequantized(tensors):
    """The weights that a file of integers stands for."""
    values = {}
    for name, value in tensors.items():
        if is_product(name, value):
            integers, multiplier = quantize(value)
            value = (integers / multiplier).astype(np.float32)
        values[name] = value
    return values


def bergamot(tensors, options, *, integers=False, alphas=True):
    """The bytes of a `.bin` file."""
    items = []
    for name, value in tensors.items():
        if not (integers and is_product(name, value)):
            items.append((name, FLOAT32, value.shape, value.tobytes()))
            continue
        values, multiplier = quantize(value)
        stored = values if "Wemb" in name else np.ascontiguousarray(values.T)
        data = stored.tobytes() + multiplier.tobytes()
        items.append((name, INTGEMM8, value.shape, data))
        if alphas and name not in ("encoder_Wemb", "decoder_Wemb"):
            alpha = "none" if name == "Wemb" else name
            items.append((f"{alpha}_QuantMultA", FLOAT32, (1, 1), ALPHA.tobytes()))
        if alphas and name == "decoder_Wemb":
            data = b"\x7f" + np.float32(127 / ALPHA).tobytes()
            items.append((f"{name}_QuantMultA", INTGEMM8, (1, 1), data))
    text = yaml.safe_dump(options).encode() + b"\0"
    items.append(("special:model.yml", INT8, (len(text),), text))
    return pack_items(items)


def pack_items(items):
    padded = [data + bytes(-len(data) % 256) for *_, data in items]
    names = [name.encode() + b"\0" for name, *_ in items]
    out = struct.pack("<QQ", 1, len(items))
    for (_, number, shape, _), name, data in zip(items, names, padded):
        out += struct.pack("<QQQQ", len(name), number, len(shape), len(data))
    out += b"".join(names)
    out += b"".join(struct.pack(f"<{len(shape)}i", *shape) for _, _, shape, _ in items)
    offset = -(len(out) + 8) % 256
    return out + struct.pack("<Q", offset) + bytes(offset) + b"".join(padded)


def sinusoids(length, width):
    half = width // 2
    frequencies = np.exp(-np.arange(half) * np.log(1e4) / (half - 1))
    angles = np.arange(length)[:, None] * frequencies
    return np.concatenate([np.sin(angles), np.cos(angles)], 1)


def forward(options, tensors, source, target):
    """The logits after a start of zeros and each id of the target, for a row of source ids."""
    weights = {name: value.astype(np.float64) for name, value in tensors.items()}
    width, heads = options["dim-emb"], options["transformer-heads"]
    first = options["transformer-preprocess"] == "n"
    act = ACTIVATIONS[options["transformer-ffn-activation"]]
    tables = [
        weights["Wemb"] if "Wemb" in weights else weights[f"{side}_Wemb"]
        for side in ("encoder", "decoder")
    ]

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    def dense(name, part, x):
        return x @ weights[f"{name}_W{part}"] + weights[f"{name}_b{part}"]

    def norm(name, x, end=""):
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-6)
        return x * weights[f"{name}_ln_scale{end}"] + weights[f"{name}_ln_bias{end}"]

    def block(x, function, name, before=None):
        if first:
            return x + function(norm(before or name, x, "_pre"))
        return norm(name, x + function(x))

    def attend(name, x, memory, causal=False):
        query, key, value = (
            dense(name, part, y).reshape(len(y), heads, width // heads).swapaxes(0, 1)
            for part, y in (("q", x), ("k", memory), ("v", memory))
        )
        scores = query @ key.swapaxes(1, 2) * (width // heads) ** -0.5
        if causal:
            scores += np.triu(np.full(scores.shape[1:], -np.inf), 1)
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        rows = scores / scores.sum(-1, keepdims=True) @ value
        return dense(name, "o", rows.swapaxes(0, 1).reshape(len(x), width))

    def feed(name, x):
        return block(x, lambda y: dense(name, "2", act(dense(name, "1", y))), f"{name}_ffn")

    def ssru(name, x):
        cell, rows = np.zeros(width), []
        for row in x:
            forget = sigmoid(dense(name, "f", row))[0]
            cell = forget * cell + (1 - forget) * (row @ weights[f"{name}_W"])
            rows.append(np.maximum(cell, 0))
        y = np.stack(rows)
        return dense(name, "o", y) if f"{name}_Wo" in weights else y

    def averaged(name, x):
        y = np.cumsum(x, 0) / np.arange(1, len(x) + 1)[:, None]
        if f"{name}_W1" in weights:
            swish = ACTIVATIONS[options.get("transformer-aan-activation", "swish")]
            y = swish(dense(name, "1", y))
        if f"{name}_W2" in weights:
            y = dense(name, "2", y)
        if f"{name}_Wi" in weights:
            y = sigmoid(dense(name, "i", x)) * x + sigmoid(dense(name, "f", y)) * y
        return y

    def embed(rows):
        if "Wpos" in weights:
            return rows + weights["Wpos"][: len(rows)]
        return rows * width**0.5 + sinusoids(len(rows), width)

    def mix(name, x):
        if options["transformer-decoder-autoreg"] == "rnn":
            inner = f"{name}_rnn"
            return block(x, lambda y: ssru(inner, y), f"{inner}_ffn", before=inner)
        if options["transformer-decoder-autoreg"] == "average-attention":
            return block(x, lambda y: averaged(f"{name}_aan", y), f"{name}_aan_ffn")
        inner = f"{name}_self"
        return block(x, lambda y: attend(inner, y, y, True), f"{inner}_Wo")

    def self_attend(name, x):
        return block(x, lambda y: attend(name, y, y), f"{name}_Wo")

    memory = embed(tables[0][source])
    for index in range(1, options["enc-depth"] + 1):
        memory = self_attend(f"encoder_l{index}_self", memory)
        memory = feed(f"encoder_l{index}_ffn", memory)
    if "encoder_top_ln_scale" in weights:
        memory = norm("encoder_top", memory)
    x = embed(np.concatenate([np.zeros((1, width)), tables[1][target]]))
    for index in range(1, options["dec-depth"] + 1):
        name = f"decoder_l{index}"
        x = mix(name, x)
        across = f"{name}_context"
        x = block(x, lambda y, across=across: attend(across, y, memory), f"{across}_Wo")
        x = feed(f"{name}_ffn", x)
    if "decoder_top_ln_scale" in weights:
        x = norm("decoder_top", x)
    logits = x @ weights.get("decoder_ff_logit_out_Wt", tables[1]).T
    return logits + weights.get("decoder_ff_logit_out_b", 0)
