"""The cost of a language model."""

from tfcompress.analysis.embedding import embeddings, output, positions
from tfcompress.analysis.stack import decoder
from tfcompress.cost import Cost
from tfcompress.models.language_model_config import LanguageModelConfig


def language_model(config: LanguageModelConfig, *, length: int) -> dict[str, Cost]:
    """Returns the costs of `embedding`, `decoder` and `output`.

    Args:
        config: The model.
        length: Tokens of the text, each decoded once with a cache.
    """
    return {
        "embedding": embeddings(config, target_length=length)
        + positions(config.positions, config.max_length, config.hidden_dim),
        "decoder": decoder(config, target_length=length),
        "output": output(config, tokens=length),
    }
