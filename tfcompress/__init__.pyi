from tfcompress import analysis as analysis
from tfcompress import callbacks as callbacks
from tfcompress import errors as errors
from tfcompress import export as export
from tfcompress import layers as layers
from tfcompress import models as models
from tfcompress import optimization as optimization
from tfcompress import pipeline as pipeline
from tfcompress import reporting as reporting
from tfcompress import runtime as runtime
from tfcompress import scaling as scaling
from tfcompress import surgery as surgery
from tfcompress import text as text
from tfcompress import training as training
from tfcompress.loading import load_model as load_model

__version__: str
