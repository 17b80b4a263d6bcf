"""Marian's options and this library's configuration, each from the other."""

import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tfcompress.errors import InputError, InputWarning
from tfcompress.models.config import EmbeddingConfig, FeedForwardConfig, Seq2SeqConfig, StackConfig
from tfcompress.models.marian_files.content import ALPHA, MarianFile
from tfcompress.models.mixers import (
    AttentionConfig,
    AveragedAttentionConfig,
    MixerConfig,
    SSRUConfig,
)
from tfcompress.models.published_translators import check_max_length

# Marian's normalizations have this one.
EPSILON = 1e-6
# Marian's GELU is another function.
ACTIVATIONS = {"relu": "relu", "swish": "silu"}
DEFAULT_LENGTH = 512
OUTPUT, OLD_OUTPUT, OUTPUT_BIAS = (f"decoder_ff_logit_out_{end}" for end in ("Wt", "W", "b"))
TABLE, POSITIONS = "Wemb", "Wpos"
# What transformers have that nothing here does, and the values that mean that they have not.
_NONE = (None, False, 0, "", [], "none")
_LACKING = (
    *("transformer-pool", "transformer-no-projection", "transformer-tied-layers", "right-left"),
    *("lemma-dim-emb", "lemma-dependency", "factors-dim-emb", "ulr", "char-conv-filters-num"),
)
# Marian's defaults, and what Bergamot's engines compute whatever the options say.
_DEFAULTS = {
    "type": "transformer",
    "transformer-preprocess": "",
    "transformer-postprocess": "dan",
    "transformer-postprocess-emb": "d",
    "transformer-postprocess-top": "",
    "transformer-ffn-activation": "swish",
    "transformer-ffn-depth": 2,
    "transformer-decoder-ffn-depth": 0,
    "transformer-decoder-dim-ffn": 0,
    "transformer-dim-aan": 2048,
    "transformer-aan-depth": 2,
    "transformer-aan-activation": "swish",
    "transformer-aan-nogate": False,
    "transformer-rnn-projection": False,
    "transformer-train-position-embeddings": False,
    "layer-normalization": False,
    "output-omit-bias": False,
    "transformer-dropout": 0.0,
    "transformer-dropout-attention": 0.0,
    "transformer-dropout-ffn": 0.0,
    "dropout-rnn": 0.0,
}
BERGAMOT_DEFAULTS = {"transformer-ffn-activation": "relu", "dec-cell": "ssru"}
_AUTOREGRESSIVE = {"rnn": "rnn", "average-attention": "aan", "self-attention": "self"}


class Options:
    """The options of a file, read one by one.

    Args:
        path: The file, for messages.
        content: What it holds.
        defaults: Values of options that it leaves out, in place of Marian's.
    """

    def __init__(self, path: Path, content: MarianFile, defaults: Mapping[str, Any]):
        self.path = path
        self.tensors = content.tensors
        self._values = {**_DEFAULTS, **self._inferred(), **defaults, **content.settings}
        self._problems: list[str] = []

    def _inferred(self):
        """What files that leave options out say by the tensors that they have."""
        mixers = [
            name
            for name, part in _AUTOREGRESSIVE.items()
            if any(tensor.startswith(f"decoder_l1_{part}_") for tensor in self.tensors)
        ]
        is_tied = not {OUTPUT, OLD_OUTPUT} & self.tensors.keys()
        return {
            "transformer-decoder-autoreg": (mixers or ["self-attention"])[0],
            "tied-embeddings-all": TABLE in self.tensors and is_tied,
            "tied-embeddings-src": TABLE in self.tensors,
            "tied-embeddings": is_tied,
        }

    def __getitem__(self, name: str) -> Any:
        return self._values.get(name)

    def whole(self, name: str, *, least: int = 1) -> int:
        """Returns an option that is a whole number."""
        value = self[name]
        if type(value) is int and value >= least:
            return value
        self.refuse(name, f"a whole number of at least {least}")
        return least

    def rate(self, name: str) -> float:
        """Returns an option that is a dropout rate."""
        value = self[name]
        if type(value) in (int, float) and 0 <= value < 1:
            return float(value)
        self.refuse(name, "a rate in [0, 1)")
        return 0.0

    def one_of(self, name: str, values: Mapping[Any, Any]) -> Any:
        """Returns what stands for the value of an option."""
        value = self[name]
        if isinstance(value, str | bool | int) and value in values:
            return values[value]
        self.refuse(name, " or ".join(map(repr, values)))
        return next(iter(values.values()))

    def flag(self, name: str) -> bool:
        """Returns an option that is true or false."""
        return self.one_of(name, {False: False, True: True})

    def operations(self, name: str) -> str:
        """Returns the operations of a block, without dropout."""
        value = self[name]
        if not isinstance(value, str):
            self.refuse(name, "a string of operations")
            return ""
        return value.replace("d", "")

    def refuse(self, name: str, expected: str) -> None:
        """Notes that an option must be another."""
        self._problems.append(f"{name}={self[name]!r} instead of {expected}")

    def check(self) -> None:
        """Makes sure that nothing was noted.

        Raises:
            InputError: If something was.
        """
        if self._problems:
            raise InputError(
                "Some options of the model are not supported. Received: "
                f"{self.path} with {'; '.join(self._problems)}. Give another model."
            )


def read_config(options: Options, max_length: int | None) -> Seq2SeqConfig:
    """Returns the configuration of the model that a file holds.

    Args:
        options: The file's options.
        max_length: Longest source and target; None for `DEFAULT_LENGTH`, or for as many positions
            as there are where they were trained.

    Raises:
        InputError: If it asks for something that this library's model does not do, naming it.
    """
    options.one_of("type", {"transformer": None})
    for name in _LACKING:
        if options[name] not in _NONE:
            options.refuse(name, "none")
    if any(str(name).endswith(".fsv") for name in _listed(options["vocabs"])):
        options.refuse("vocabs", "vocabularies without factors")
    _warn_of_alignments(options)
    normalize_first = _normalizes_first(options)
    ties_all = options.flag("tied-embeddings-all")
    share = options.flag("tied-embeddings-src") or ties_all
    is_tied = options.flag("tied-embeddings") or ties_all
    is_trained = options.flag("transformer-train-position-embeddings")
    check_max_length(max_length)
    length = max_length or DEFAULT_LENGTH
    if is_trained:
        length = _trained_length(options, max_length)
    heads, width = options.whole("transformer-heads"), options.whole("dim-emb")
    encoder = StackConfig(
        options.whole("enc-depth"),
        attention=AttentionConfig(heads, dropout=options.rate("transformer-dropout-attention")),
        feed_forward=_feed_forward(options, ""),
    )
    decoder = StackConfig(
        options.whole("dec-depth"),
        attention=_mixer(options, heads, normalize_first),
        feed_forward=_feed_forward(options, "decoder-"),
    )
    dropout, has_bias = options.rate("transformer-dropout"), not options.flag("output-omit-bias")
    options.check()
    sizes = _vocabulary_sizes(options, share)
    options.check()
    _check_sizes(options, width, encoder, decoder)
    # Padding is one id more than Marian has; with it begins every target.
    pad = min(sizes)
    return Seq2SeqConfig(
        sizes[0] + 1,
        target_vocabulary_size=sizes[1] + 1,
        hidden_dim=width,
        encoder=encoder,
        decoder=decoder,
        embedding=EmbeddingConfig(
            share=share,
            tie="shared" if is_tied else "none",
            use_scale=not is_trained,
            use_output_bias=has_bias,
            zero_start=True,
        ),
        positions="learned" if is_trained else "sinusoidal",
        normalize_first=normalize_first,
        dropout=dropout,
        epsilon=EPSILON,
        max_source_length=length,
        max_target_length=length,
        pad_id=pad,
        bos_id=pad,
        eos_id=0,
        # The one that Marian gives, and trains where it trains on alignments.
        alignment_head=0,
    )


def _listed(value):
    return value if isinstance(value, list) else [value]


def _warn_of_alignments(options):
    layer, last = options["transformer-guided-alignment-layer"], options["dec-depth"]
    if layer is not None and str(layer) not in ("last", str(last)):
        warnings.warn(
            "Alignments are those of the last layer, which this model was not trained for. "
            f"Received: {options.path} with transformer-guided-alignment-layer={layer!r}.",
            InputWarning,
            stacklevel=2,
        )


def _normalizes_first(options):
    names = ("transformer-preprocess", "transformer-postprocess", "transformer-postprocess-top")
    before, after, top = map(options.operations, names)
    if options.operations("transformer-postprocess-emb"):
        options.refuse("transformer-postprocess-emb", "'d'")
    if before == "":
        if after != "an":
            options.refuse("transformer-postprocess", "'dan'")
        if top:
            options.refuse("transformer-postprocess-top", "''")
        return False
    if before != "n":
        options.refuse("transformer-preprocess", "'' or 'n'")
        return False
    if after != "a":
        options.refuse("transformer-postprocess", "'da' where there is a preprocess")
    if top != "n":
        options.refuse("transformer-postprocess-top", "'n' where there is a preprocess")
    return True


def _feed_forward(options, side):
    depth = f"transformer-{side}ffn-depth"
    options.one_of(depth, {2: None, 0: None} if side else {2: None})
    name = f"transformer-{side}dim-ffn"
    if side and options[name] == 0:
        name = "transformer-dim-ffn"
    return FeedForwardConfig(
        options.whole(name),
        activation=options.one_of("transformer-ffn-activation", ACTIVATIONS),
        dropout=options.rate("transformer-dropout-ffn"),
    )


def _mixer(options, heads, normalize_first) -> MixerConfig:
    part = options.one_of("transformer-decoder-autoreg", _AUTOREGRESSIVE)
    dropout = options.rate("transformer-dropout-attention")
    if part == "self":
        return AttentionConfig(heads, dropout=dropout)
    if part == "rnn":
        options.one_of("dec-cell", {"ssru": None})
        options.one_of("layer-normalization", {False: None})
        return SSRUConfig(
            num_heads=heads,
            dropout=dropout,
            input_dropout=options.rate("dropout-rnn"),
            use_projection=options.flag("transformer-rnn-projection"),
        )
    if normalize_first:
        # Its mean is normalized, not what it is the mean of.
        options.refuse("transformer-preprocess", "'' with average-attention")
    depth = options.one_of("transformer-aan-depth", {1: 1, 2: 2})
    return AveragedAttentionConfig(
        num_heads=heads,
        dropout=dropout,
        intermediate_dim=options.whole("transformer-dim-aan") if depth == 2 else None,
        activation=options.one_of("transformer-aan-activation", ACTIVATIONS),
        feed_forward_dropout=options.rate("transformer-dropout-ffn"),
        use_gates=not options.flag("transformer-aan-nogate"),
    )


def _vocabulary_sizes(options, share):
    """The rows of the tables, which options may repeat."""
    names = (TABLE, TABLE) if share else (f"encoder_{TABLE}", f"decoder_{TABLE}")
    sizes = [options.tensors[name].shape[0] for name in names if name in options.tensors]
    if len(sizes) < len(names):
        missing = [name for name in dict.fromkeys(names) if name not in options.tensors]
        raise InputError(
            f"A model needs its tables. Received: {options.path} without {', '.join(missing)}. "
            "Download or copy the file again."
        )
    stated = options["dim-vocabs"]
    if isinstance(stated, list) and stated not in (sizes, [0, 0]):
        options.refuse("dim-vocabs", f"{sizes}, the rows of {' and '.join(dict.fromkeys(names))}")
    return sizes


def _check_sizes(options, width, encoder, decoder):
    """Makes sure that no size is larger than what the file holds, before there is a model of it."""
    for name in (TABLE, f"encoder_{TABLE}", f"decoder_{TABLE}"):
        _check_size(options, name, "dim-emb", width)
    sides = {"encoder": (encoder, "_self_Wo"), "decoder": (decoder, "_context_Wo")}
    for side, (stack, last) in sides.items():
        name, depth = f"{side}_l{stack.num_layers}{last}", f"{side[:3]}-depth"
        if name not in options.tensors:
            raise InputError(
                f"`{depth}` must be the number of layers in the file. Received: {options.path} "
                f"with {depth}={stack.num_layers}, without {name}. Give another model."
            )
        inner = stack.feed_forward.intermediate_dim
        _check_size(options, f"{side}_l1_ffn_W1", "transformer-dim-ffn", inner)
    inner = getattr(decoder.attention, "intermediate_dim", None)
    if inner is not None:
        _check_size(options, "decoder_l1_aan_W1", "transformer-dim-aan", inner)


def _check_size(options, name, option, size):
    if name in options.tensors and tuple(options.tensors[name].shape[1:]) != (size,):
        raise InputError(
            f"`{option}` must be that of the tensors. Received: {options.path} with "
            f"{option}={size} and {name} of shape {list(options.tensors[name].shape)}. Give "
            "another model."
        )


def _trained_length(options, max_length):
    table = options.tensors.get(POSITIONS)
    rows = 0 if table is None else table.shape[0]
    if not rows or not 2 <= (max_length or rows) <= rows:
        raise InputError(
            f"Trained positions need the table {POSITIONS}, with a row for each of `max_length`. "
            f"Received: {options.path} with {rows} rows, max_length={max_length}. Give fewer."
        )
    return max_length or rows


def is_ignored(name: str) -> bool:
    """Returns whether a tensor holds no weights of the model."""
    return name.endswith(ALPHA)


def config_options(config: Seq2SeqConfig, sizes: tuple[int, int]) -> dict[str, Any]:
    """Returns the options of Marian with which it computes what a model does.

    Args:
        config: The model's configuration.
        sizes: Rows of the tables that are written.

    Raises:
        InputError: If Marian cannot compute it, naming each setting.
    """
    problems = list(_problems(config))
    if problems:
        raise InputError(
            f"Marian cannot compute this model. Received: {'; '.join(problems)}. Train a model "
            "with settings that it has, such as the preset student_tiny's with an SSRU."
        )
    own, first = config.decoder.attention, config.normalize_first
    encoder, decoder = config.encoder, config.decoder
    options = {
        **_DEFAULTS,
        "version": "v1.12.0 (written by tfcompress)",
        "dim-emb": config.hidden_dim,
        "dim-vocabs": list(sizes),
        "max-length": config.max_source_length,
        "enc-depth": encoder.num_layers,
        "dec-depth": decoder.num_layers,
        "enc-type": "bidirectional",
        "dec-cell": "ssru",
        "dec-cell-base-depth": 2,
        "dec-cell-high-depth": 1,
        "enc-cell": "gru",
        "enc-cell-depth": 1,
        "dim-rnn": config.hidden_dim,
        "skip": False,
        "input-types": [],
        "lemma-dim-emb": 0,
        "ulr": False,
        "right-left": False,
        "tied-embeddings": config.embedding.tie == "shared",
        "tied-embeddings-src": config.embedding.share,
        "tied-embeddings-all": config.embedding.share and config.embedding.tie == "shared",
        "output-omit-bias": not config.embedding.use_output_bias,
        "transformer-heads": _one(encoder.attention.num_heads),
        "transformer-no-projection": False,
        "transformer-pool": False,
        "transformer-tied-layers": [],
        "transformer-guided-alignment-layer": "last",
        "transformer-dim-ffn": _one(encoder.feed_forward.intermediate_dim),
        "transformer-decoder-dim-ffn": _one(decoder.feed_forward.intermediate_dim),
        "transformer-ffn-activation": _activation(encoder.feed_forward.activation),
        "transformer-preprocess": "n" if first else "",
        "transformer-postprocess": "da" if first else "dan",
        "transformer-postprocess-top": "n" if first else "",
        "transformer-dropout": config.dropout,
        "transformer-dropout-attention": encoder.attention.dropout,
        "transformer-dropout-ffn": encoder.feed_forward.dropout,
        "transformer-decoder-autoreg": "self-attention",
    }
    if options["transformer-decoder-dim-ffn"] == options["transformer-dim-ffn"]:
        options["transformer-decoder-dim-ffn"] = 0
    if isinstance(own, SSRUConfig):
        options |= {
            "transformer-decoder-autoreg": "rnn",
            "transformer-rnn-projection": own.use_projection,
            "dropout-rnn": own.input_dropout,
        }
    if isinstance(own, AveragedAttentionConfig):
        options |= {
            "transformer-decoder-autoreg": "average-attention",
            "transformer-aan-depth": 1 if own.intermediate_dim is None else 2,
            "transformer-dim-aan": _one(own.intermediate_dim or 2048),
            "transformer-aan-activation": _activation(own.activation),
            "transformer-aan-nogate": not own.use_gates,
        }
    return options


def _problems(config: Seq2SeqConfig) -> Iterator[str]:
    """What Marian cannot compute of a model, a line for each setting."""
    embedding, own = config.embedding, config.decoder.attention
    if embedding.layer_type != "factorized" or embedding.embedding_dim is not None:
        yield f"an embedding {embedding.layer_type!r} of width {embedding.embedding_dim}"
    if embedding.tie == "own":
        yield "embedding.tie='own'"
    if not embedding.use_scale:
        yield "embedding.use_scale=False"
    if config.target_prefix:
        yield f"target_prefix={list(config.target_prefix)}"
    if config.positions != "sinusoidal":
        yield f"positions={config.positions!r}"
    if config.first_position:
        yield f"first_position={config.first_position}"
    if config.epsilon > 1e-5:
        yield f"epsilon={config.epsilon}"
    attentions = {"encoder.attention": config.encoder.attention}
    attentions["decoder.cross_attention"] = config.decoder.memory_attention
    if type(own) is AttentionConfig:
        attentions["decoder.attention"] = own
    elif not isinstance(own, SSRUConfig | AveragedAttentionConfig):
        yield f"decoder.attention.mixer={own.mixer!r}"
    elif config.normalize_first and isinstance(own, AveragedAttentionConfig):
        yield "normalize_first=True with averaged attention"
    heads = {}
    for name, attention in attentions.items():
        if type(attention) is not AttentionConfig:
            yield f"{name}.mixer={attention.mixer!r}"
            continue
        heads[name] = _one(attention.num_heads)
        width = (attention.head_dim or 0) * (heads[name] or 0)
        if attention.head_dim is not None and width != config.hidden_dim:
            yield f"{name}.head_dim={attention.head_dim}"
        if attention.gated:
            yield f"{name}.gated=True"
    if len(set(heads.values())) > 1 or None in heads.values():
        yield f"other heads in some layers ({_heads_text(attentions)})"
    activations = set()
    for side in ("encoder", "decoder"):
        stack = getattr(config, side)
        if _one(stack.feed_forward.intermediate_dim) is None:
            yield f"{side}.feed_forward.intermediate_dim={stack.feed_forward.intermediate_dim}"
        activations.add(stack.feed_forward.activation)
        if stack.successors is not None:
            yield f"{side}.successors={stack.successors}"
    if len(activations) > 1 or _activation(next(iter(activations))) is None:
        yield f"feed_forward.activation={' and '.join(sorted(activations))}"
    if isinstance(own, AveragedAttentionConfig) and own.intermediate_dim is not None:
        if _one(own.intermediate_dim) is None:
            yield f"decoder.attention.intermediate_dim={own.intermediate_dim}"
        if _activation(own.activation) is None:
            yield f"decoder.attention.activation={own.activation!r}"


def _heads_text(attentions):
    return ", ".join(f"{name} {attention.num_heads}" for name, attention in attentions.items())


def _one(value):
    """One value for all layers, or None where layers differ."""
    if not isinstance(value, tuple | list):
        return value
    return value[0] if len(set(value)) == 1 else None


def _activation(name):
    """Marian's name of an activation, or None."""
    return {"relu": "relu", "silu": "swish", "swish": "swish"}.get(name)
