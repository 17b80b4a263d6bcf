"""Exporting a saved model from the command line."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tfcompress.custom_ops.names import TOP_LOGITS, chosen
from tfcompress.errors import InputError
from tfcompress.export.bundle.writer import check_target
from tfcompress.export.quantization.schemes import (
    check_plan,
    check_quantization,
    check_representative,
)
from tfcompress.models import TextEncoderConfig
from tfcompress.pipeline.loading import load_tensorflow
from tfcompress.pipeline.workspace import (
    RUN_FILE,
    has_text_tokenizer,
    has_tokenizers,
    saved_text_tokenizer,
    saved_tokenizers,
)
from tfcompress.text import (
    Shortlist,
    TextTokenizer,
    Tokenizer,
    build_shortlist,
    encode_texts,
    is_blank,
    load_text_tokenizer,
    read_lines,
)
from tfcompress.yaml_file import read_yaml

# Whose activations a static quantization allows for.
REPRESENTATIVE_SENTENCES = 200


def export_model(
    model: str | Path,
    bundle: str | Path,
    *,
    quantization: str = "dynamic_int8",
    plan: str | Path | Mapping[str, str] | None = None,
    representative: str | Path | None = None,
    custom_ops: bool | Sequence[str] = False,
    shortlist: tuple[str | Path, str | Path] | None = None,
    tokenizer: str | Path | None = None,
    force: bool = False,
) -> dict:
    """Exports the model of a run, a saved model or a preset as a bundle.

    Args:
        model: A run's folder (its tokenizers go into the bundle), a folder that `save_preset`
            wrote, or the name of a preset, which has random weights.
        bundle: Folder to write.
        quantization: As for `tfcompress.export.convert`.
        plan: As for `tfcompress.export.convert`, or a YAML or JSON file with it.
        representative: With a static quantization, a text file with typical sentences, one a line,
            of which the first 200 are used.
        custom_ops: As for `tfcompress.export.convert`.
        shortlist: With custom operations, a source and a target text file of the same number of
            lines, translations of each other, from which a shortlist is learnt.
        tokenizer: For a text encoder that has none with it, the folder of its tokenizer, as for
            `tfcompress.text.load_text_tokenizer`.
        force: Whether to replace an existing bundle.

    Returns:
        The bundle's manifest.

    Raises:
        InputError: If there is no such model, or the bundle exists or cannot be written.

    Example:

    >>> tfc.pipeline.export_model("runs/quickstart/compressed", "bundle")
    """
    if plan is not None and not isinstance(plan, Mapping):
        plan = read_plan(plan)
    check_quantization(quantization, plan)
    check_representative(quantization, representative)
    check_target(bundle, force)
    if shortlist is not None and custom_ops is not True and TOP_LOGITS not in chosen(custom_ops):
        raise InputError(
            f"`shortlist` is for the custom operation {TOP_LOGITS}; ask for `custom_ops`"
        )
    sentences = None if representative is None else _sentences(Path(representative))
    pairs = None if shortlist is None else _parallel(*map(Path, shortlist))
    load_tensorflow()
    from tfcompress.export import convert
    from tfcompress.models.presets import load_preset

    folder = Path(model)
    transformer = load_preset(folder / "model" if (folder / "model").is_dir() else model)
    how = {"quantization": quantization, "plan": plan, "custom_ops": custom_ops, "force": force}
    if isinstance(transformer.config, TextEncoderConfig):
        if pairs is not None:
            raise InputError("`shortlist` is for translation models; leave it out")
        return _export_encoder(
            transformer, bundle, _text_tokenizer(folder, tokenizer), sentences, how
        )
    if tokenizer is not None:
        raise InputError("`tokenizer` is for text encoders; leave it out")
    source, target = _tokenizers(folder)
    typical = None
    if sentences is not None:
        if source is None:
            raise InputError(f"`representative` needs a tokenizer, which {model} has not")
        typical = source_ids(source, sentences, transformer.config)
    learnt = None
    if pairs is not None:
        if source is None:
            raise InputError(f"`shortlist` needs a tokenizer, which {model} has not")
        learnt = learn_shortlist(source, target, *pairs, transformer.config)
    return convert(
        transformer,
        bundle,
        source_tokenizer=source,
        target_tokenizer=target,
        representative_data=typical,
        shortlist=learnt,
        **how,
    )


def text_ids(tokenizer: TextTokenizer, texts: Sequence[str], max_length: int) -> list[list[int]]:
    """Returns texts as a text encoder takes them: between begin and end, cut to its limit.

    Args:
        tokenizer: The tokenizer.
        texts: The texts.
        max_length: The most ids of a text.
    """
    ids, lengths = encode_texts(tokenizer, texts, max_length=max_length)
    return [row[:length].tolist() for row, length in zip(ids, lengths)]


def _export_encoder(encoder, bundle, tokenizer, texts, how):
    from tfcompress.export import convert

    typical = None
    if texts is not None:
        if tokenizer is None:
            raise InputError("`representative` needs a tokenizer; name its folder as `tokenizer`")
        typical = text_ids(tokenizer, texts, encoder.config.max_length)
    return convert(encoder, bundle, tokenizer=tokenizer, representative_data=typical, **how)


def _text_tokenizer(run, folder):
    """The tokenizer that is named, or that a run has with its model."""
    if folder is not None:
        return load_text_tokenizer(folder)
    has_one = has_text_tokenizer(run) or (run / RUN_FILE).exists()
    return saved_text_tokenizer(run) if has_one else None


def read_plan(path: str | Path) -> dict[str, str]:
    """Reads what weights are stored as from a YAML or JSON file.

    Args:
        path: The file.

    Raises:
        InputError: If it cannot be read or holds no plan.
    """
    plan = read_yaml(path)
    try:
        check_plan(plan)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return plan


def check_plan_names(plan: Mapping[str, str] | None, config: Any) -> None:
    """Makes sure, before a model is trained, that a plan names weights that it will have.

    Args:
        plan: The plan, or None.
        config: The model's configuration.

    Raises:
        InputError: If an expression matches no name.
    """
    if plan is None:
        return
    from tfcompress.export.quantization.mixed_plan import MixedPlan, WeightNames
    from tfcompress.models import Seq2SeqTransformer, TextEncoder

    model = TextEncoder if isinstance(config, TextEncoderConfig) else Seq2SeqTransformer
    MixedPlan(plan, WeightNames(model(config)))


def source_ids(tokenizer: Tokenizer, sentences: Sequence[str], config: Any) -> list[list[int]]:
    """Returns sentences as an encoder takes them: cut to its limit, each with its end mark.

    Args:
        tokenizer: The source's.
        sentences: The sentences.
        config: The model's configuration.
    """
    limit = config.max_source_length - 1
    return [[*ids[:limit], config.eos_id] for ids in tokenizer.encode(list(sentences))]


def learn_shortlist(
    source_tokenizer: Tokenizer,
    target_tokenizer: Tokenizer,
    sources: Sequence[str],
    targets: Sequence[str],
    config: Any,
) -> Shortlist:
    """Returns what target tokens the translations of a sentence choose from.

    Args:
        source_tokenizer: The source's.
        target_tokenizer: The target's.
        sources: Sentences.
        targets: Their translations.
        config: The model's configuration.
    """
    pairs = zip(source_tokenizer.encode(list(sources)), target_tokenizer.encode(list(targets)))
    return build_shortlist(
        pairs,
        config.source_vocabulary_size,
        config.target_vocabulary_size,
        always=[config.eos_id, target_tokenizer.unk_id],
    )


def _parallel(source, target):
    sources, targets = read_lines(source), read_lines(target)
    if len(sources) != len(targets):
        raise InputError(
            f"{source} has {len(sources)} lines and {target} {len(targets)}; a shortlist is learnt "
            "from files whose lines are translations of each other"
        )
    return sources, targets


def _sentences(path):
    lines = [line for line in read_lines(path) if not is_blank(line)]
    sentences = lines[:REPRESENTATIVE_SENTENCES]
    if not sentences:
        raise InputError(
            f"{path}: `representative` has no sentences; give typical ones, one a line"
        )
    return sentences


def _tokenizers(run):
    has_some = has_tokenizers(run) or (run / RUN_FILE).exists()
    return saved_tokenizers(run) if has_some else (None, None)
