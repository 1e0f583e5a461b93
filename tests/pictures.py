"""Pictures for tests, and their files."""

import io

import numpy as np
from PIL import Image


def waves(height=24, width=40):
    """A smooth RGB image, on which JPEG decoders agree, without symmetry."""
    y, x = np.mgrid[:height, :width]
    channels = (5 * y + 2 * x, 200 - 3 * x - y, 90 + 4 * y)
    return Image.fromarray(np.stack(channels, axis=-1).clip(0, 255).astype(np.uint8))


def encoded(image, kind="PNG", **options):
    """The bytes of an image, or of uint8 pixels, as Pillow writes them."""
    image = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()
