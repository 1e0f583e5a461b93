"""The model zoo: functions that return functional Keras models."""

from tfpipe.models.dense import linear, mlp, perceptron
from tfpipe.models.detection import yolov8
from tfpipe.models.detection_loss import YoloLoss, box_targets
from tfpipe.models.detections import detections
from tfpipe.models.drawing import draw
from tfpipe.models.gradcam import grad_cam
from tfpipe.models.lenet import lenet5
from tfpipe.models.recurrent import bilstm, lstm
from tfpipe.models.residual import residual
from tfpipe.models.resnet import resnet50
from tfpipe.models.segmentation import unet
from tfpipe.models.tuning import unfreeze
from tfpipe.models.zoo import build, names

__all__ = [
    "YoloLoss",
    "bilstm",
    "box_targets",
    "build",
    "detections",
    "draw",
    "grad_cam",
    "lenet5",
    "linear",
    "lstm",
    "mlp",
    "names",
    "perceptron",
    "residual",
    "resnet50",
    "unet",
    "unfreeze",
    "yolov8",
]
