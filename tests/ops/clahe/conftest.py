"""What the CLAHE tests share: OpenCV as the oracle, random cases, and the real X-rays."""

import cv2
import numpy as np
import pytest

# The tests run TensorFlow's threads beside it, and inside tf.data.
cv2.setNumThreads(0)


@pytest.fixture(scope="session")
def opencv():
    """OpenCV's CLAHE of a batch, uint8 (B, H, W, C)."""

    def of_one(image, clahe, colour):
        if colour == "lab":
            image = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
            image[..., 0] = clahe.apply(np.ascontiguousarray(image[..., 0]))
            return cv2.cvtColor(image, cv2.COLOR_LAB2RGB)
        planes = [np.ascontiguousarray(plane) for plane in np.moveaxis(image, -1, 0)]
        return np.stack([clahe.apply(plane) for plane in planes], axis=-1)

    def run(images, clip_limit=2.0, tile_grid=(8, 8), colour=None):
        clahe = cv2.createCLAHE(clip_limit, tile_grid)
        return np.stack([of_one(image, clahe, colour) for image in images])

    return run


@pytest.fixture(scope="session")
def pictures():
    """Draws pictures: noise, smooth ones, of few levels, of one level, and with a dark half."""

    def draw(random, count, height, width, channels=1):
        images = random.integers(0, 256, (count, height, width, channels), np.uint8)
        for index in range(count):
            kind = random.integers(5)
            if kind == 1:
                blurred = cv2.GaussianBlur(images[index], (0, 0), random.uniform(0.5, 6))
                images[index] = blurred.reshape(height, width, channels)
            if kind == 2:
                images[index] //= np.uint8(random.integers(2, 120))
            if kind == 3:
                images[index] = random.integers(256)
            if kind == 4:
                images[index, : height // 2] //= np.uint8(16)
        return images

    return draw


@pytest.fixture(scope="session")
def cases(pictures):
    """Yields (images, clip_limit, tile_grid): sizes 1-208, grids 1-12, clips -1 to 1000."""

    def draw(count, seed):
        random = np.random.default_rng(seed)
        for _ in range(count):
            height, width = map(int, random.integers(1, 209, 2))
            grid = tuple(map(int, random.integers(1, 13, 2)))
            often = [-1, 0, 0.001, 0.5, 1, 2, 3, 4, 40]
            clip = random.choice(often) if random.integers(2) else random.uniform(-1, 1000)
            yield pictures(random, 1, height, width), float(clip), grid

    return draw


@pytest.fixture
def xrays(shared_data):
    """Every X-ray of both real data sets, grey."""
    return [
        cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        for name in ("covid_xray", "chestxray14_sample")
        for path in sorted(shared_data(name).rglob("*"))
        if path.suffix.lower() in (".png", ".jpg", ".jpeg")
    ]
