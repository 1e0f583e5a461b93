"""The bridge to Keras 2 (tf_keras), which no other module knows.

tfmot quantises tf_keras models only, and the LSTM of tf_keras is the one that TensorFlow's
converter turns into TFLite's fused kernel.
"""

from tfpipe.compress.legacy.graph import changed, rebuild
from tfpipe.compress.legacy.training import batches, fit

__all__ = ["batches", "changed", "fit", "rebuild"]
