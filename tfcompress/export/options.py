"""The options of an export. Imports nothing heavy, as recipes and the command line use it."""

import argparse
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from tfcompress.custom_ops.names import TOP_LOGITS, chosen
from tfcompress.errors import InputError
from tfcompress.export.option_files import read_parallel, read_scheme, read_texts, read_tokenizer
from tfcompress.export.quantization.schemes import (
    QUANTIZATIONS,
    STATIC,
    check_quantization,
    check_representative,
)

if TYPE_CHECKING:
    from tfcompress.export.conversion.keras_signatures import Signature
    from tfcompress.text import Shortlist, TextTokenizer, Tokenizer

Samples = Sequence[Sequence[int]] | Sequence[str] | Any


@dataclasses.dataclass(frozen=True)
class Setting:
    """An option that the command line and recipes have too.

    Attributes:
        help: What the command line says of it.
        read: Makes its value of the files that are named there.
        argument: Further settings of the command line's argument.
    """

    help: str
    read: Callable[[Any], Any] | None = None
    argument: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Only:
    """Marks an option that some types of models take.

    Attributes:
        model_types: Of "translation", "text_encoder", "language_model" and "keras".
    """

    model_types: tuple[str, ...]

    def __init__(self, *model_types: str):
        object.__setattr__(self, "model_types", model_types)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """How `convert` exports a model.

    Attributes:
        signatures: Of a Keras model, the functions that the bundle has, by name; by default the
            model's call with `training=False`, as "serving_default". A subclassed model needs them,
            as they say what its inputs are like.
        quantization: How weights of at least 1024 elements are stored. "float32"; "float16";
            "dynamic_int8", with a scale for each row; "int4", with a scale for each block of 32
            weights of a row; "int4_per_channel", with one for each row; or "mixed", as
            `quantization_scheme` says. Weights that do not divide so, and grouped ones, have 8
            bits. Weights that were trained on a grid (`tfcompress.optimization.quantize_aware`)
            keep it bit for bit. With all of these, activations are float32 between operations;
            kernels with integer weights quantize them as they come. For chips that compute in
            integers only, "static_int8" and "static_int8x16" give the encoder activations of 8 or
            16 bits, whose ranges are those of `representative_data`; a decoder is that of
            "dynamic_int8".
        quantization_scheme: What weights are stored as, by regular expressions over their names,
            with "mixed" or a static quantization; see `tfcompress.export.QuantizationScheme`.
            Weights that it does not name have 8 bits.
        representative_data: With a static quantization, some hundred texts as the model will see
            them; or their token ids, begin and end ids included where the model was trained with
            them. Of a Keras model, a list of batches, each as the model takes it; by signature
            where there are several, of which only those named have integer activations.
        custom_ops: Whether the model may need custom operations, which the native runtime has and
            a plain LiteRT runtime has not. True uses those that were measured to pay: of whole
            decoders, of grouped layers, of fixed patterns, of dynamic convolutions, and with
            `shortlist` of the output layer. Or the names of those to use, from
            `tfcompress.custom_ops.names.ALL`. They need `tfcompress build-native` first, as the
            bundle is run to be compared. A Keras model's other layers must then be those of
            `tfcompress.layers`, and of an input's sizes one may be unknown.
        shortlist: With custom operations, the tokens that the output layer of a translation model
            chooses from for each sentence, as `tfcompress.text.build_shortlist` learns them; or
            sentences and their translations to learn them from. All by default.
        alignments: Whether a translation model's bundle says how much each token of a translation
            looks at each token of the source: by the last cross-attention, of which the model's
            `config.alignment_head` chooses the head. Layers then compute one by one, as custom
            operations of whole decoders give no attention weights.
        tokenizer: A text encoder's tokenizer, or a language model's. Without tokenizers a bundle
            takes ids.
        source_tokenizer: A translation model's tokenizer of the source.
        target_tokenizer: A translation model's tokenizer of the target.
        tokenizer_graph: Whether the bundle holds its tokenizers as LiteRT graphs too, for apps that
            have tensorflow-text.
        samples: Texts or token ids, as in `representative_data`, to compare the bundle with the
            model on, for instance a few of the validation split; random ids by default. Of a Keras
            model, a list of batches, or such lists by signature; by default the `inputs` of its
            signatures, or random numbers.
        force: Whether to replace an existing bundle.

    Raises:
        InputError: If an option is impossible, or does not go with another.

    Example:

    >>> options = ExportOptions(quantization="int4")
    """

    signatures: Annotated["Mapping[str, Signature] | None", Only("keras")] = None
    quantization: Annotated[str, Setting(", ".join(QUANTIZATIONS))] = "dynamic_int8"
    quantization_scheme: Annotated[
        Mapping[str, str] | None,
        Setting(
            "with mixed: YAML or JSON file, regular expressions of weights to types", read_scheme
        ),
    ] = None
    representative_data: Annotated[
        Samples | None,
        Setting(
            "with static_int8: text file with representative sentences, one a line", read_texts
        ),
    ] = None
    custom_ops: Annotated[
        bool | Sequence[str],
        Setting("use custom operations, which need the native runtime (see build-native)"),
    ] = False
    shortlist: Annotated[
        "Shortlist | tuple[Sequence[str], Sequence[str]] | None",
        Setting(
            "with custom operations: text files of parallel sentences, from which is learned what "
            "tokens the output layer chooses from",
            read_parallel,
            {"nargs": 2, "metavar": ("SOURCE", "TARGET")},
        ),
        Only("translation"),
    ] = None
    alignments: Annotated[
        bool,
        Setting("let translations say which tokens of the source theirs are aligned with"),
        Only("translation"),
    ] = False
    tokenizer: Annotated[
        "TextTokenizer | Tokenizer | None",
        Setting(
            "of a text encoder that has none with it: folder of its tokenizer; of a language "
            "model: its SentencePiece model",
            read_tokenizer,
        ),
        Only("text_encoder", "language_model"),
    ] = None
    source_tokenizer: Annotated["Tokenizer | None", Only("translation")] = None
    target_tokenizer: Annotated["Tokenizer | None", Only("translation")] = None
    tokenizer_graph: Annotated[
        bool,
        Setting("add the tokenizers as graphs, for apps with tensorflow-text"),
        Only("translation", "text_encoder", "language_model"),
    ] = False
    samples: Samples | None = None
    force: Annotated[bool, Setting("replace an existing bundle")] = False

    def __post_init__(self):
        for name, hint in ExportOptions.__annotations__.items():
            if getattr(hint, "__origin__", hint) is bool and not isinstance(
                getattr(self, name), bool
            ):
                raise InputError(
                    f"`{name}` must be true or false. Received: {getattr(self, name)!r}. Give one."
                )
        check_quantization(self.quantization, self.quantization_scheme)
        check_representative(self.quantization, self.representative_data)
        if self.shortlist is not None and TOP_LOGITS not in self.operations:
            raise InputError(
                f"`shortlist` needs the custom operation {TOP_LOGITS}. Received: "
                f"custom_ops={self.custom_ops!r}. Ask for it too, or leave `shortlist` out."
            )
        if self.operations and self.quantization in STATIC:
            raise InputError(
                "Custom operations need floats between them. Received: "
                f"quantization={self.quantization!r}. Give another, or no `custom_ops`."
            )

    @property
    def operations(self) -> frozenset[str]:
        """The names of the custom operations."""
        names = chosen(self.custom_ops)
        # Only with a shortlist is it faster than the builtin product.
        has_shortlist = self.custom_ops is True and self.shortlist is not None
        return names | {TOP_LOGITS} if has_shortlist else names

    def check_model_type(self, model_type: str) -> None:
        """Makes sure that a type of model takes these options.

        Args:
            model_type: "translation", "text_encoder" or "keras".

        Raises:
            InputError: If not, naming the first that it does not take.
        """
        for name, only in _marks(Only).items():
            if model_type not in only.model_types and getattr(self, name) is not getattr(
                ExportOptions, name
            ):
                tokenizers = " and ".join(tokenizer_names(model_type)) or "ids"
                raise InputError(
                    f"A {model_type.replace('_', ' ')} model takes no `{name}`. Received: {name}="
                    f"{type(getattr(self, name)).__name__}. Give {tokenizers}, or leave it out."
                )

    def check_runtime(self) -> None:
        """Makes sure that the native runtime is there where custom operations need it.

        Raises:
            InputError: If it is not.
        """
        from tfcompress.runtime.native_files import native_library

        library = native_library()
        if self.operations and library is None:
            raise InputError(
                "Custom operations need the native runtime, which compares the bundle with the "
                "model. Received: none. Run `tfcompress build-native` first, or leave "
                "`custom_ops` out."
            )


def _marks(mark: type) -> dict[str, Any]:
    """Returns the options that are annotated with a type of mark, with their marks, by name."""
    return {
        name: one
        for name, hint in ExportOptions.__annotations__.items()
        for one in getattr(hint, "__metadata__", ())
        if isinstance(one, mark)
    }


def tokenizer_names(model_type: str) -> list[str]:
    """Returns the options that are the tokenizers of a type of model.

    Args:
        model_type: "translation" or "text_encoder".
    """
    return [
        name
        for name, only in _marks(Only).items()
        if model_type in only.model_types and name.endswith("tokenizer")
    ]


def settings(model_type: str | None = None) -> dict[str, Setting]:
    """Returns the options that the command line and recipes have, by name.

    Args:
        model_type: "translation" or "text_encoder", for those of that type of model only.
    """
    others = [
        name for name, only in _marks(Only).items() if model_type not in (None, *only.model_types)
    ]
    return {name: setting for name, setting in _marks(Setting).items() if name not in others}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds an argument for each of `settings`.

    Args:
        parser: The parser of a command.
    """
    for name, setting in settings().items():
        default, argument = getattr(ExportOptions, name), dict(setting.argument)
        if default is False:
            argument["action"] = "store_true"
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            default=default,
            help=setting.help + (" (%(default)s)" if default else ""),
            **argument,
        )


def read_options(values: Mapping[str, Any]) -> ExportOptions:
    """Returns the options that a command line or a recipe sets.

    Args:
        values: Those of `settings` by name, files where they are read from files; others are left
            out.

    Raises:
        InputError: If an option is impossible or a file cannot be read.
    """
    options = {}
    for name, setting in settings().items():
        value = values.get(name, getattr(ExportOptions, name))
        options[name] = setting.read(value) if setting.read and value is not None else value
    return ExportOptions(**options)
