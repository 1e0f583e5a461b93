"""YOLOv8: Jocher, Chaurasia and Qiu, "Ultralytics YOLOv8", 2023, in keras-cv's layers.

Example:

    model = yolov8((320, 320, 3), 3, size="xs")
    batches = records.read(manifest, "train", prepare, batch_size=16).map(box_targets)
    train.fit(model, batches, loss=YoloLoss((320, 320)), epochs=50)
    found = detections(model.predict(images))
"""

from typing import Any

import numpy as np

from tfpipe.backend import keras
from tfpipe.errors import RequestError, one_of
from tfpipe.files import Path
from tfpipe.models.arguments import require_counts, require_image
from tfpipe.models.pretrained import checked_file, downloading, load_whole

STRIDES = (8, 16, 32)  # pixels between anchors, on the three levels
BINS = 16  # of each side's distance, in strides
# Every anchor's score before training: nearly all have nothing to find, and from 0.5 their part of
# the loss would drown that of the boxes (Lin et al., "Focal Loss", 2017, section 4.1).
FIRST_SCORE = 0.01
# By size: channels and depth of the backbone's four stages (those of keras-cv's presets), and the
# depth of the pyramid's blocks (keras-cv's advice).
SIZES: dict[str, tuple[list[int], list[int], int]] = {
    "xs": ([32, 64, 128, 256], [1, 2, 2, 1], 1),
    "s": ([64, 128, 256, 512], [1, 2, 2, 1], 1),
    "m": ([96, 192, 384, 576], [2, 4, 4, 2], 2),
    "l": ([128, 256, 512, 512], [3, 6, 6, 3], 3),
}


def yolov8(
    input_shape: tuple[int, int, int] = (320, 320, 3),
    num_classes: int = 20,
    *,
    size: str = "xs",
    weights: Path | None = None,
) -> keras.Model:
    """A detector: for each anchor a box and the scores of the classes.

    One output, so that a file of it has one, too. Anchors are the centres of squares of 8, then 16,
    then 32 pixels, row by row. Overlapping boxes stay in, until `detections`.

    Args:
        input_shape: (height, width, 3) in pixels, height and width divisible by 32.
        num_classes: classes of objects; there is none for the background.
        size: "xs", "s", "m" or "l".
        weights: None, random numbers; "coco", for the backbone, downloaded once; or the path of
            the `model.weights.h5` of such a backbone.

    Input shape: (B, height, width, 3), float32 from 0 to 1.
    Output shape: (B, anchors, 4 + num_classes), float32: y1, x1, y2, x2 and the scores, all from 0
        to 1, boxes as shares of height and width. In training, boxes may reach beyond the image.

    Raises:
        RequestError: no such size; an image that is not divisible or not of three channels; a
            number that is no whole number from 1; the weights cannot be downloaded, or there is no
            such file.
        DataError: the file holds other weights.

    Example:

    >>> model = yolov8((320, 320, 3), 3)
    >>> model.output_shape  # 40 * 40 + 20 * 20 + 10 * 10 anchors
    (None, 2100, 7)
    >>> model.count_params()
    3432953
    """
    if size not in SIZES:
        raise RequestError(one_of("size", size, tuple(SIZES)))
    require_image(input_shape, multiple_px=max(STRIDES))
    require_counts(num_classes=num_classes)
    if input_shape[-1] != 3:
        raise RequestError(
            "Expected `input_shape` with 3 channels; ops.Decode(channels=3) makes them of grey "
            f"images, too. Received: input_shape={input_shape}"
        )
    # What keras-cv's detector is made of; that one trains in a step of its own.
    from keras_cv.src.models.object_detection.yolo_v8 import yolo_v8_detector as parts

    images = keras.Input(input_shape, name="images")
    backbone = _backbone(images, size, weights)
    levels = [
        backbone.get_layer(backbone.pyramid_level_inputs[level]).output
        for level in ("P3", "P4", "P5")
    ]
    levels = parts.apply_path_aggregation_fpn(levels, depth=SIZES[size][2], name="pa_fpn")
    bins, scores = _taken_apart(images, parts.apply_yolo_v8_head(levels, num_classes))
    boxes = DecodeBoxes(input_shape[:2], dtype="float32", name="boxes")(bins)
    joined = keras.layers.Concatenate(dtype="float32", name="boxes_and_scores")
    return keras.Model(images, joined([boxes, scores]), name="yolov8")


def anchors(image_size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The anchors' centres (anchors, 2) as y, x in pixels, and their strides (anchors, 1).

    >>> centres, strides = anchors((32, 64))
    >>> len(centres), centres[:2].tolist(), strides[-1].tolist()
    (42, [[4.0, 4.0], [4.0, 12.0]], [32.0])
    """
    centres, strides = [], []
    for stride in STRIDES:
        grid = np.indices([size // stride for size in image_size]).reshape(2, -1).T
        centres.append((grid + 0.5) * stride)
        strides.append(np.full((len(grid), 1), stride))
    return np.concatenate(centres).astype("float32"), np.concatenate(strides).astype("float32")


@keras.saving.register_keras_serializable("tfpipe")
class DecodeBoxes(keras.layers.Layer):
    """Boxes from YOLOv8's distances: y1, x1, y2, x2, as shares of the image's height and width.

    Each side's distance to the anchor's centre is the mean over 16 bins, in strides (Li et al.,
    "Generalized Focal Loss", 2020, equation 5). Except in training, boxes end at the image's
    edges, so that an int8 file spends its 256 steps on the image.

    Args:
        image_size: (height, width) in pixels.

    Input shape: (B, anchors, 64): 16 bins of left, top, right and bottom.
    Output shape: (B, anchors, 4).
    """

    def __init__(self, image_size: tuple[int, int], **kwargs: Any):
        super().__init__(**kwargs)
        height, width = image_size
        self.image_size = (height, width)

    def call(self, bins: Any, training: bool = False) -> Any:
        """From bins to boxes, level by level: in an int8 file each has a scale of its own."""
        centres, strides = anchors(self.image_size)
        ends = np.cumsum([0, *(int((strides == stride).sum()) for stride in STRIDES)])
        parts = zip(map(slice, ends[:-1], ends[1:]), STRIDES, strict=True)
        levels = [self._level(bins[:, p], centres[p], stride, training) for p, stride in parts]
        return keras.ops.concatenate(levels, axis=1)

    def _level(self, bins: Any, centres: np.ndarray, stride: int, training: bool) -> Any:
        """No number goes beyond the image, where int8's steps would be wasted."""
        ops, sizes = keras.ops, np.asarray(self.image_size, "float32")
        shares = ops.softmax(ops.reshape(bins, (-1, len(centres), 4, BINS)))
        far = ops.matmul(shares, np.arange(BINS, dtype="float32")[:, None])[..., 0]
        far = ops.take(far, (1, 0, 3, 2), axis=-1)  # top, left, bottom, right; in strides
        if not training:
            far = ops.minimum(far, np.concatenate([centres, sizes - centres], -1) / stride)
        away, middles = far * np.tile(stride / sizes, 2), centres / sizes
        return ops.concatenate([middles - away[..., :2], middles + away[..., 2:]], axis=-1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Four numbers for each anchor."""
        return (*input_shape[:-1], 4)

    def get_config(self) -> dict[str, Any]:
        """What makes it again."""
        return {**super().get_config(), "image_size": self.image_size}


def _taken_apart(images: Any, found: Any) -> tuple[Any, Any]:
    """Bins (B, anchors, 64) and scores (B, anchors, num_classes), which never were one tensor.

    keras-cv's head joins both and cuts them apart again. In an int8 file that makes one scale of
    both, that of the scores, and bins beyond 0 to 1 are cut off: boxes are lost.
    """
    head = keras.Model(images, found["classes"])
    parts = []
    for kind in ("box_3_conv", "class_3_conv"):
        levels = [head.get_layer(f"yolo_v8_head_{level}_{kind}") for level in (1, 2, 3)]
        rows = [keras.layers.Reshape((-1, layer.filters))(layer.output) for layer in levels]
        parts.append(keras.layers.Concatenate(axis=1)(rows))
    for layer in levels:  # those of the classes
        layer.bias.assign(np.full(layer.bias.shape, -np.log(1 / FIRST_SCORE - 1)))
    bins, logits = parts
    return bins, keras.layers.Activation("sigmoid", dtype="float32", name="scores")(logits)


def _backbone(images: Any, size: str, weights: Path | None) -> Any:
    import keras_cv

    channels, depths, _ = SIZES[size]
    build = keras_cv.models.YOLOV8Backbone
    backbone = build(channels, depths, include_rescaling=False, input_tensor=images)
    if weights is None:
        return backbone
    # The published ones begin with a rescaling, from 0..255 to 0..1, which has no weights.
    if weights == "coco":
        preset = f"yolo_v8_{size}_backbone_coco"
        how = (
            f"the model.weights.h5 that kagglehub.model_download('keras/yolov8/keras/{preset}') "
            "leaves on a machine with a network"
        )
        with downloading(f"The COCO weights of YOLOv8 {size!r}", how):
            published = build.from_preset(preset)
    else:
        published = build(channels, depths, include_rescaling=True)
        path = checked_file(weights, "'coco'")
        load_whole(published, path, f"the weights of keras-cv's YOLOv8 backbone of size {size!r}")
    backbone.set_weights(published.get_weights())
    return backbone
