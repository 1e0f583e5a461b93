"""The one door to tensorflow-model-optimization.

Importing it sets TF_USE_LEGACY_KERAS for this process and its children; here the environment is
put back as it was. (`tfpipe.backend` sees to `tf.keras`, which the import would change too.)
"""

import os
from types import ModuleType
from typing import Any

import tfpipe.backend  # noqa: F401  (first: see there)

_VARIABLE = "TF_USE_LEGACY_KERAS"


def load_tfmot() -> ModuleType:
    """Imports `tensorflow_model_optimization` and leaves the environment as it was.

    >>> load_tfmot().sparsity.keras.PolynomialDecay.__name__
    'PolynomialDecay'
    """
    before = os.environ.get(_VARIABLE)
    try:
        import tensorflow_model_optimization as tfmot
    finally:
        os.environ.pop(_VARIABLE, None)
        if before is not None:
            os.environ[_VARIABLE] = before
    return tfmot


def load_pruning_impl() -> ModuleType:
    """tfmot's arithmetic of masks on plain variables; it has no public name."""
    load_tfmot()
    from tensorflow_model_optimization.python.core.sparsity.keras import pruning_impl

    return pruning_impl


def load_quantize_registry() -> Any:
    """Which layers tfmot can quantise."""
    load_tfmot()
    from tensorflow_model_optimization.python.core.quantization.keras import default_8bit

    return default_8bit.default_8bit_quantize_registry.Default8BitQuantizeRegistry()


def load_quantize_configs() -> ModuleType:
    """tfmot's ways to quantise a layer that is not in its registry; they have no public name."""
    load_tfmot()
    from tensorflow_model_optimization.python.core.quantization.keras.default_8bit import (
        default_8bit_quantize_configs,
    )

    return default_8bit_quantize_configs
