"""The model zoo: functions that return functional Keras models."""

from tfpipe.models.lenet import lenet5
from tfpipe.models.zoo import build, names

__all__ = ["build", "lenet5", "names"]
