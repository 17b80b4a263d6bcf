"""DeFINE's embedding: a narrow table and a hierarchical group transform."""

from collections.abc import Callable

from tfcompress.layers.common.serialization import register
from tfcompress.layers.hierarchical_embedding import HierarchicalEmbedding

SCHEDULES = {"paper": "define", "released": "released"}


@register
class DeFINEEmbedding(HierarchicalEmbedding):
    """Token embedding that maps, expands and reduces; and back through the table.

    As `DExTraEmbedding`, with DeFINE's widths and groups: the transform grows up to its last layer,
    and its groups get fewer from layer to layer (`tfcompress.scaling.define_schedule`).

    Number of parameters: as for `DExTraEmbedding`.

    Args:
        vocabulary_size: Number of token ids.
        hidden_dim: Width of the output.
        embedding_dim: Width of the table.
        num_layers: Number of grouped layers, at least 2.
        width_multiplier: Largest width of the transform, in widths of the table.
        max_groups: Largest number of groups; by default `default_max_groups(hidden_dim)`.
        projection_dim: Width after the input projection; `hidden_dim // 2` by default.
        scale: Factor on the looked-up vectors; `embedding_dim**0.5` by default.
        tie: How `reverse` works. `"own"`: through a projection of its own and the tied table;
            `"none"`: not at all.
        dropout: Dropout rate of the looked-up vectors; at all positions of a sequence the same
            features are dropped.
        transform_dropout: Dropout rate of each layer of the transform.
        schedule: Numbers of groups, `"paper"` or `"released"` (the released code's).
        shuffle: Whether the grouped layers shuffle; None: they do not.
        activation: Activation of the transform's layers.
        normalize: Whether the transform's layers normalize.
        use_bias: Whether the transform's layers have biases.
        epsilon: Epsilon of the normalizations.
        embeddings_initializer: Initializer of the table; a normal distribution of variance
            `1 / embedding_dim` by default.
        kernel_initializer: Initializer of the transform's kernels.
        bias_initializer: Initializer of the transform's biases.
        mask_zero: Whether id 0 is padding, as in `keras.layers.Embedding`: the layers that follow
            get a mask.
        **kwargs: Keyword arguments of `keras.layers.Layer`.

    Attributes:
        table: The `FactorizedEmbedding` that looks up.
        transform: The `DExTraBlock`.
        output_projection: The bias-free `Dense` before the tied table, or None.

    Call arguments:
        inputs: Integer ids `[..., length]`; with `reverse`, hidden vectors `[..., hidden_dim]`.
        reverse: Whether to compute logits.
        training: Whether dropout is active.

    Returns:
        `[..., length, hidden_dim]`; with `reverse`, logits `[..., vocabulary_size]`.

    Raises:
        ValueError: If a size or rate is impossible, a number of groups does not divide a width,
            `tie` or `schedule` is unknown, or `reverse` is asked for with `tie="none"` or another
            width.

    Example:

    >>> layer = tfc.layers.DeFINEEmbedding(1000, hidden_dim=64, embedding_dim=32)
    >>> table = layer.cache_outputs()
    >>> table(np.array([[3, 5, 7]])).shape
    TensorShape([1, 3, 64])

    Reference: Mehta et al., 2020, arXiv:1911.12385.
    """

    def __init__(
        self,
        vocabulary_size: int,
        *,
        hidden_dim: int,
        embedding_dim: int = 128,
        num_layers: int = 4,
        width_multiplier: float = 2.0,
        max_groups: int | None = None,
        projection_dim: int | None = None,
        scale: float | None = None,
        tie: str = "own",
        dropout: float = 0.0,
        transform_dropout: float = 0.0,
        schedule: str = "paper",
        shuffle: bool | None = None,
        activation: str | Callable | None = "gelu",
        normalize: bool = True,
        use_bias: bool = True,
        epsilon: float = 1e-5,
        embeddings_initializer=None,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        mask_zero: bool = False,
        **kwargs,
    ):
        if schedule not in SCHEDULES:
            raise ValueError(
                f"`schedule` must be one of {', '.join(SCHEDULES)}. Received: "
                f"schedule={schedule!r}."
            )
        super().__init__(
            vocabulary_size,
            hidden_dim=hidden_dim,
            embedding_dim=embedding_dim,
            num_layers=num_layers,
            width_multiplier=width_multiplier,
            max_groups=max_groups,
            projection_dim=projection_dim,
            scale=scale,
            tie=tie,
            dropout=dropout,
            transform_dropout=transform_dropout,
            embeddings_initializer=embeddings_initializer,
            mask_zero=mask_zero,
            block={
                "schedule": SCHEDULES[schedule],
                "shuffle": shuffle,
                "activation": activation,
                "normalize": normalize,
                "use_bias": use_bias,
                "epsilon": epsilon,
                "kernel_initializer": kernel_initializer,
                "bias_initializer": bias_initializer,
            },
            **kwargs,
        )
        self.schedule = schedule

    def get_config(self):
        return {**super().get_config(), "schedule": self.schedule}
