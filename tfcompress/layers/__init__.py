"""Keras layers, each usable alone in any functional, sequential or subclassed model."""

from tfcompress.layers.dense import Dense
from tfcompress.layers.dropout import Dropout
from tfcompress.layers.factorized_embedding import FactorizedEmbedding
from tfcompress.layers.feed_forward import FeedForward
from tfcompress.layers.layer_normalization import LayerNormalization
from tfcompress.layers.masks import PaddingMask
from tfcompress.layers.multi_head_attention import MultiHeadAttention
from tfcompress.layers.positions import LearnedPosition, SinusoidalPosition
from tfcompress.layers.transformer_decoder_layer import TransformerDecoderLayer
from tfcompress.layers.transformer_encoder_layer import TransformerEncoderLayer

__all__ = [
    "Dense",
    "Dropout",
    "FactorizedEmbedding",
    "FeedForward",
    "LayerNormalization",
    "LearnedPosition",
    "MultiHeadAttention",
    "PaddingMask",
    "SinusoidalPosition",
    "TransformerDecoderLayer",
    "TransformerEncoderLayer",
]
