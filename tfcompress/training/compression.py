"""What is trained while a model is compressed, and the plain model within it."""

import dataclasses
import importlib
from typing import Any

from tensorflow import keras

from tfcompress.models import LanguageModel, Seq2SeqTransformer, TextEncoder
from tfcompress.training.config import (
    ClusteringConfig,
    PruningConfig,
    QuantizeAwareConfig,
    TrainingConfig,
)

Model = Seq2SeqTransformer | TextEncoder | LanguageModel


class Uncompressed:
    """Trains the model as it is.

    Args:
        transformer: The model.

    Attributes:
        model: What is trained.
        callbacks: What must be called meanwhile.
    """

    def __init__(self, transformer: Model):
        self.model: keras.Model = transformer.model
        self.callbacks: list[keras.callbacks.Callback] = []
        self._plain = transformer

    def plain(self) -> Model:
        """Returns the model as it would be exported now."""
        return self._plain


def _with_graph(transformer: Any, model: keras.Model) -> Any:
    """The same model with another training graph."""
    return type(transformer)(transformer.config, model=model)


class QuantizationAware(Uncompressed):
    """Trains with weights on the grids of a bundle.

    Args:
        transformer: The model to begin with.
        config: Which grids.
    """

    def __init__(self, transformer: Model, config: QuantizeAwareConfig):
        from tfcompress.optimization import quantize_aware, strip_quantization

        super().__init__(transformer)
        self.model = quantize_aware(transformer.model, **dataclasses.asdict(config))
        self._plain = _with_graph(transformer, strip_quantization(self.model))

    def plain(self) -> Model:
        from tfcompress.optimization import copy_rounded

        copy_rounded(self.model, self._plain.model)
        return self._plain


class Pruning(Uncompressed):
    """Trains while the smallest weights become zero.

    Args:
        transformer: The model to begin with.
        config: Which weights, when.
        updates: Updates of the whole training.
    """

    def __init__(self, transformer: Model, config: PruningConfig, updates: int):
        from tfcompress.optimization import prune, strip_pruning
        from tfcompress.optimization.models import check_optimizable

        super().__init__(transformer)
        check_optimizable(transformer.model, "prune")
        import tensorflow_model_optimization as tfmot

        end = updates if config.end is None else config.end
        schedule = tfmot.sparsity.keras.PolynomialDecay(
            0.0, config.sparsity, config.begin, end, frequency=config.frequency
        )
        self.model = prune(transformer.model, schedule, sparsity=config.pattern, scope=config.scope)
        self.callbacks = [tfmot.sparsity.keras.UpdatePruningStep()]
        self._plain = _with_graph(transformer, strip_pruning(self.model))


class Clustering(Uncompressed):
    """Trains the few values that matrices have.

    Args:
        transformer: The model to begin with.
        config: How many values.
    """

    def __init__(self, transformer: Model, config: ClusteringConfig):
        from tfcompress.optimization import cluster_weights, strip_clustering

        super().__init__(transformer)
        self.model = cluster_weights(transformer.model, **dataclasses.asdict(config))
        self._plain = _with_graph(transformer, strip_clustering(self.model))

    def plain(self) -> Model:
        from tfcompress.optimization import copy_clustered

        copy_clustered(self.model, self._plain.model)
        return self._plain


def load_methods(config: TrainingConfig) -> None:
    """Loads what `compression` needs; loading draws random numbers, so seeds are set afterwards.

    Args:
        config: How the model is trained.
    """
    compresses = config.quantize_aware or config.pruning or config.clustering
    # Under Keras 3 it cannot be used, which the method itself reports.
    if compresses and not hasattr(keras, "ops"):
        importlib.import_module("tensorflow_model_optimization")


def compression(transformer: Model, config: TrainingConfig) -> Uncompressed:
    """Returns what is trained.

    Args:
        transformer: The model to begin with.
        config: How it is trained.
    """
    if config.quantize_aware is not None:
        return QuantizationAware(transformer, config.quantize_aware)
    if config.pruning is not None:
        return Pruning(transformer, config.pruning, config.updates)
    if config.clustering is not None:
        return Clustering(transformer, config.clustering)
    return Uncompressed(transformer)
