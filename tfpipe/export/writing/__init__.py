"""From a Keras model to a file: what goes into it, and the converters that make it."""
