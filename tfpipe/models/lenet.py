"""LeNet-5: LeCun, Bottou, Bengio and Haffner, "Gradient-Based Learning Applied to Document
Recognition", Proceedings of the IEEE, 1998, section II.B, figure 2.
"""

from tfpipe.backend import keras

layers = keras.layers


def lenet5(input_shape: tuple[int, int, int] = (32, 32, 1), num_classes: int = 10) -> keras.Model:
    """LeNet-5 as Keras users write it.

    Two pairs of 5x5 convolution (tanh) and average pooling, then dense layers of 120 and 84
    units (tanh). Of the paper's details, these are today's: every map of the second convolution
    sees all six maps below, pooling has no weights, and softmax takes the place of the
    radial-basis units.

    Args:
        input_shape: (height, width, channels) in pixels; 32 is the paper's.
        num_classes: units of the softmax layer.

    Input shape: (B, height, width, channels), float32 from 0 to 1.
    Output shape: (B, num_classes), float32 probabilities.

    Example:

    >>> lenet5().count_params()
    61706
    """
    images = keras.Input(input_shape, name="images")
    x = layers.Conv2D(6, 5, activation="tanh", name="conv1")(images)
    x = layers.AveragePooling2D(2, name="pool1")(x)
    x = layers.Conv2D(16, 5, activation="tanh", name="conv2")(x)
    x = layers.AveragePooling2D(2, name="pool2")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(120, activation="tanh", name="dense1")(x)
    x = layers.Dense(84, activation="tanh", name="dense2")(x)
    # In float32 under every dtype policy: a float16 softmax loses small probabilities.
    probabilities = layers.Dense(
        num_classes, activation="softmax", dtype="float32", name="probabilities"
    )(x)
    return keras.Model(images, probabilities, name="lenet5")
