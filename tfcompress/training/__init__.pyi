from tfcompress.training.bleu_callback import BleuCallback as BleuCallback
from tfcompress.training.classification import train_classifier as train_classifier
from tfcompress.training.cluster import WorkerLostError as WorkerLostError
from tfcompress.training.cluster import join_cluster as join_cluster
from tfcompress.training.config import ClusteringConfig as ClusteringConfig
from tfcompress.training.config import DistillationConfig as DistillationConfig
from tfcompress.training.config import GuidedAlignmentConfig as GuidedAlignmentConfig
from tfcompress.training.config import PruningConfig as PruningConfig
from tfcompress.training.config import QuantizeAwareConfig as QuantizeAwareConfig
from tfcompress.training.config import ReplacingConfig as ReplacingConfig
from tfcompress.training.config import TrainingConfig as TrainingConfig
from tfcompress.training.distillation import Distillation as Distillation
from tfcompress.training.guided_alignment import GuidedAlignment as GuidedAlignment
from tfcompress.training.keras_distillation import KerasDistillation as KerasDistillation
from tfcompress.training.language_model_distillation import (
    LanguageModelDistillation as LanguageModelDistillation,
)
from tfcompress.training.language_modeling import train_language_model as train_language_model
from tfcompress.training.losses import LabelSmoothedCrossentropy as LabelSmoothedCrossentropy
from tfcompress.training.pair_scoring import pair_crossentropies as pair_crossentropies
from tfcompress.training.schedules import Cosine as Cosine
from tfcompress.training.schedules import InverseSquareRoot as InverseSquareRoot
from tfcompress.training.sequence_distillation import distill_corpus as distill_corpus
from tfcompress.training.text_distillation import TextDistillation as TextDistillation
from tfcompress.training.translation import Validation as Validation
from tfcompress.training.translation import train as train
