"""The mixers: for each its settings, rules, layer and costs, once.

A new one is a module like `lsra`, imported here. None of them loads TensorFlow before it builds a
layer.
"""

from tfcompress.models.mixers.base import MIXERS, MixerConfig, Site, register_mixer

from tfcompress.models.mixers.multi_head import AttentionConfig  # isort: skip  # the default
from tfcompress.models.mixers.averaged import AveragedAttentionConfig
from tfcompress.models.mixers.convolution import ConvolutionConfig, ConvolutionMixerConfig
from tfcompress.models.mixers.delight import DeLighTConfig, ScalingConfig
from tfcompress.models.mixers.fixed_patterns import FixedPatternConfig
from tfcompress.models.mixers.lsra import LSRAConfig
from tfcompress.models.mixers.ssru import SSRUConfig

__all__ = [
    "MIXERS",
    "AttentionConfig",
    "AveragedAttentionConfig",
    "ConvolutionConfig",
    "ConvolutionMixerConfig",
    "DeLighTConfig",
    "FixedPatternConfig",
    "LSRAConfig",
    "MixerConfig",
    "SSRUConfig",
    "ScalingConfig",
    "Site",
    "register_mixer",
]
