"""Counts as the papers of a method count."""

from collections.abc import Mapping
from dataclasses import dataclass

from tfcompress.analysis.embedding import embeddings, output
from tfcompress.analysis.stack import decoder
from tfcompress.cost import Cost
from tfcompress.models.config import Seq2SeqConfig


@dataclass(frozen=True)
class Published:
    """Numbers counted in a paper's own way.

    Attributes:
        counting: What is counted, in words.
        parameters: Number of parameters.
        multiply_adds: Number of multiply-adds.
    """

    counting: str
    parameters: int
    multiply_adds: int


def published(
    config: Seq2SeqConfig,
    components: Mapping[str, Cost],
    *,
    source_length: int,
    target_length: int,
) -> Published | None:
    """Returns the counts of a model in the way of the papers of its method, if they differ.

    Args:
        config: The model.
        components: Its costs by component.
        source_length: Tokens of the source.
        target_length: Tokens of the target.
    """
    ways = {stack.attention.published_counting for stack in (config.encoder, config.decoder)}
    if "delight" in ways:
        return _profiler(config, components, source_length, target_length)
    if "lite_transformer" in ways:
        body = components["encoder"] + components["decoder"]
        return Published(
            "Lite Transformer: encoder and decoder without embeddings and output; taps of "
            "convolutions not counted",
            body.parameters,
            body.multiply_adds - body.tap_multiply_adds,
        )
    return None


def _profiler(config, components, source_length, target_length):
    """Every target length from 1 to the last is a pass of its own: nothing is cached."""
    total = components["encoder"] + embeddings(config, source_length=source_length, target_length=0)
    for length in range(1, target_length + 1):
        total += embeddings(config, source_length=0, target_length=length)
        total += decoder(config, source_length=source_length, target_length=length)
        total += output(config, tokens=length)
    return Published(
        "DeLighT: every parameter; the decoder runs anew on each prefix of the target, biases "
        "count as multiply-adds",
        sum(cost.parameters for cost in components.values()),
        total.multiply_adds + total.additions,
    )
