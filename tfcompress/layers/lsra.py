"""Long-short range attention: attention on some channels, convolution on the others."""

import tensorflow as tf
from tensorflow import keras

from tfcompress.layers.common.serialization import pack, register, unpack
from tfcompress.layers.common.state import IncrementalLayer
from tfcompress.layers.common.sublayers import build_sublayer, check_sublayer


@register
class LSRA(IncrementalLayer):
    """Attention on the first channels and a convolution on the rest, side by side.

    Attention is left to relate distant positions and the convolution to relate neighbours, each
    on its share of the channels. Their outputs are concatenated, without a projection after it.

    Number of parameters: those of the branches.

    Args:
        attention: A layer called as `attention(x, padding_mask=..., training=...)`, such as
            `MultiHeadAttention`; or None.
        convolution: A layer called in the same way, such as `DynamicConv`; or None.
        attention_dim: Channels that go to `attention`; half by default, and all or none where
            there is one branch only.
        **kwargs: Keyword arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: `[batch, length, width]`.
        padding_mask: Which positions are tokens, boolean or integer `[batch, length]`, or
            additive `[batch, 1, 1, length]`.
        training: Whether dropout is active.

    Returns:
        `[batch, length, width]`, attention first.

    Raises:
        ValueError: If both branches are None, one is no Keras layer or gets no channels, channels
            are left for a branch that is None, or one branch is causal and the other is not.

    Example:

    >>> layer = tfc.layers.LSRA(
    ...     tfc.layers.MultiHeadAttention(num_heads=2),
    ...     convolution=tfc.layers.DynamicConv(kernel_size=7, num_heads=2),
    ... )
    >>> layer(np.random.rand(2, 5, 16).astype("float32")).shape
    TensorShape([2, 5, 16])

    Reference: Wu et al., 2020, arXiv:2004.11886.
    """

    input_axes = ("batch", "length", "width")

    def __init__(
        self,
        attention: keras.layers.Layer | None = None,
        *,
        convolution: keras.layers.Layer | None = None,
        attention_dim: int | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        branches = {"attention": attention, "convolution": convolution}
        for name, branch in branches.items():
            if branch is not None:
                check_sublayer(name, branch, "padding_mask")
        if attention is None and convolution is None:
            raise ValueError(
                "LSRA needs at least one branch. Received: attention=None, convolution=None."
            )
        causal = [_is_causal(branch) for branch in branches.values() if branch is not None]
        if len(set(causal)) > 1:
            raise ValueError(
                "Both branches must be causal, or neither. Received: attention with "
                f"causal={causal[0]}, convolution with causal={causal[1]}. Pass the same `causal` "
                "to both."
            )
        if attention_dim is not None and attention_dim < 0:
            raise ValueError(
                f"`attention_dim` must be at least 0. Received: attention_dim={attention_dim}."
            )
        self.attention = attention
        self.convolution = convolution
        self.attention_dim = attention_dim
        self.supports_masking = True

    @property
    def causal(self) -> bool:
        """Whether a position sees only itself and earlier ones, as the branches' `causal` says."""
        return _is_causal(self.convolution if self.attention is None else self.attention)

    def build(self, input_shape):
        width = input_shape[-1]
        shares = self._shares(width)
        for name, channels in shares.items():
            branch = getattr(self, name)
            if (branch is None) != (channels == 0) or channels < 0:
                raise ValueError(
                    "Each branch must have channels, and all channels a branch. Received: "
                    f"width={width}, attention_dim={shares['attention']}, {name}={branch}. Pass "
                    f"an `attention_dim` from 1 to {width - 1} with both branches, or leave it "
                    "out with one."
                )
        for name, channels in shares.items():
            branch = getattr(self, name)
            if branch is not None and not branch.built:
                build_sublayer(branch, (*input_shape[:-1], channels))
        self._attention_dim = shares["attention"]
        super().build(input_shape)

    def _shares(self, width):
        """Returns how many channels go to which branch."""
        dim = self.attention_dim
        if dim is None:
            dim = width if self.convolution is None else width // 2
            dim = 0 if self.attention is None else dim
        return {"attention": dim, "convolution": width - dim}

    def call(self, inputs, padding_mask=None, training=None):
        outputs = [
            branch(part, padding_mask=padding_mask, training=training)
            for branch, part in self._split(inputs).values()
        ]
        return tf.concat(outputs, axis=-1)

    def _split(self, inputs):
        """Returns each branch with its channels of the input."""
        dim = self._attention_dim
        shares = {"attention": inputs[..., :dim], "convolution": inputs[..., dim:]}
        return {name: (branch, shares[name]) for name, branch in self._branches().items()}

    def _branches(self):
        both = {"attention": self.attention, "convolution": self.convolution}
        return {name: branch for name, branch in both.items() if branch is not None}

    def state_spec(self) -> dict:
        """Returns what `step` needs of the steps before, by branch."""
        return {name: branch.state_spec() for name, branch in self._branches().items()}

    def step(self, inputs, position, cache, padding_mask=None):
        """Computes one position from the cache of the earlier ones.

        Args:
            inputs: `[batch, width]`.
            position: Integer scalar, the number of earlier positions.
            cache: What `init_cache` or the step before returned.
            padding_mask: The additive mask over the cache, `[1, 1, 1, max_length]`, where the
                caller has it already; computed from `position` otherwise.

        Returns:
            A pair: `[batch, width]`, equal to what `call` gives at this position, and the new
            cache.
        """
        outputs, new = [], {}
        for name, (branch, part) in self._split(inputs).items():
            y, new[name] = branch.step(part, position, cache[name], padding_mask=padding_mask)
            outputs.append(y)
        return tf.concat(outputs, axis=-1), new

    def compute_output_shape(self, input_shape):
        *sizes, width = input_shape
        outputs = [
            getattr(self, name).compute_output_shape((*sizes, channels))
            for name, channels in self._shares(width).items()
            if getattr(self, name) is not None
        ]
        return (*sizes, sum(shape[-1] for shape in outputs))

    def get_config(self):
        return {
            **super().get_config(),
            "attention": pack(self.attention),
            "convolution": pack(self.convolution),
            "attention_dim": self.attention_dim,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**unpack(config, "attention", "convolution"))


def _is_causal(branch):
    return bool(getattr(branch, "causal", False))
