"""How a TFLite file may compute.

float32   the model's own arithmetic
float16   the weights in half the bytes; computes in float32
dynamic   int8 weights; activations stay float32 and become int8 for the large products
int8      integers throughout: weights, activations, arithmetic
int16x8   int8 weights, int16 activations: slower than int8, nearly as exact as float32
"""

MODES = ("float32", "float16", "dynamic", "int8", "int16x8")
CALIBRATED = ("int8", "int16x8")  # the ranges of their activations come from examples

FORMATS = (*MODES, "onnx", "saved_model", "keras")  # all that tfpipe writes
