from tfcompress.export.conversion.convert import convert as convert
from tfcompress.export.conversion.keras_signatures import Signature as Signature
from tfcompress.export.conversion.variants import Variants as Variants
from tfcompress.export.devices.benchmarking import benchmark_on as benchmark_on
from tfcompress.export.devices.building import build_native as build_native
from tfcompress.export.errors import ExportError as ExportError
from tfcompress.export.marian.writing import to_marian as to_marian
from tfcompress.export.options import ExportOptions as ExportOptions
from tfcompress.export.quantization.quantization_scheme import (
    QuantizationScheme as QuantizationScheme,
)
from tfcompress.export.quantization.quantization_scheme import WeightNames as WeightNames
from tfcompress.export.quantization.schemes import QUANTIZATIONS as QUANTIZATIONS
