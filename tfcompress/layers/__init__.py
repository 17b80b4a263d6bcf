"""Keras layers, each usable alone in any functional, sequential or subclassed model.

A call takes one positional tensor; memory, masks and the rest are keyword arguments. Keras' masks,
such as those that embeddings with `mask_zero=True` make, count as `padding_mask` (those of a memory
as `memory_padding_mask`) where none is given.
"""

from tfcompress.layers.adaptive_embedding import AdaptiveEmbedding
from tfcompress.layers.averaged_attention import AveragedAttention
from tfcompress.layers.common.masks import PaddingMask
from tfcompress.layers.define_embedding import DeFINEEmbedding
from tfcompress.layers.delight_decoder_layer import DeLighTDecoderLayer
from tfcompress.layers.delight_encoder_layer import DeLighTEncoderLayer
from tfcompress.layers.dense import Dense
from tfcompress.layers.dextra_block import DExTraBlock
from tfcompress.layers.dextra_embedding import DExTraEmbedding
from tfcompress.layers.dropout import Dropout
from tfcompress.layers.dynamic_conv import DynamicConv
from tfcompress.layers.factorized_embedding import FactorizedEmbedding
from tfcompress.layers.feed_forward import FeedForward
from tfcompress.layers.first_token import FirstToken
from tfcompress.layers.fixed_pattern_attention import FixedPatternAttention
from tfcompress.layers.group_linear import GroupLinear
from tfcompress.layers.hierarchical_group_transform import HierarchicalGroupTransform
from tfcompress.layers.layer_drop_wrapper import LayerDropWrapper
from tfcompress.layers.layer_drop_wrapper import learned_drop_rates as learned_drop_rates
from tfcompress.layers.layer_normalization import LayerNormalization
from tfcompress.layers.lightweight_conv import LightweightConv
from tfcompress.layers.lsra import LSRA
from tfcompress.layers.mean_pooling import MeanPooling
from tfcompress.layers.multi_head_attention import MultiHeadAttention
from tfcompress.layers.positions import LearnedPosition, SinusoidalPosition
from tfcompress.layers.ssru import SSRU
from tfcompress.layers.theseus_module import TheseusModule
from tfcompress.layers.theseus_module import initialize_successors as initialize_successors
from tfcompress.layers.transformer_decoder_layer import TransformerDecoderLayer
from tfcompress.layers.transformer_encoder_layer import TransformerEncoderLayer
from tfcompress.layers.unit_normalization import UnitNormalization
from tfcompress.layers.word_ids import WordIds
from tfcompress.layers.zero_start import ZeroStart

__all__ = [
    "LSRA",
    "SSRU",
    "AdaptiveEmbedding",
    "AveragedAttention",
    "DExTraBlock",
    "DExTraEmbedding",
    "DeFINEEmbedding",
    "DeLighTDecoderLayer",
    "DeLighTEncoderLayer",
    "Dense",
    "Dropout",
    "DynamicConv",
    "FactorizedEmbedding",
    "FeedForward",
    "FirstToken",
    "FixedPatternAttention",
    "GroupLinear",
    "HierarchicalGroupTransform",
    "LayerDropWrapper",
    "LayerNormalization",
    "LearnedPosition",
    "LightweightConv",
    "MeanPooling",
    "MultiHeadAttention",
    "PaddingMask",
    "SinusoidalPosition",
    "TheseusModule",
    "TransformerDecoderLayer",
    "TransformerEncoderLayer",
    "UnitNormalization",
    "WordIds",
    "ZeroStart",
]
