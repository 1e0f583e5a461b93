"""A report that nobody measured, for tests of what is made of reports.

Example:

    row = dataclasses.replace(ROW, path="float32.tflite")
"""

from tfpipe import export

ROW = export.FileReport(
    path="int8.tflite",
    format="tflite",
    mode="int8",
    bytes=69_000,
    zipped_bytes=23_456,
    latency_ms=0.0214,
    latency_p95_ms=0.0391,
    threads=1,
    peak_memory_bytes=1_234_567,
    agreement=0.99,
    max_abs_diff=0.031,
    mean_abs_diff=0.0042,
    score=0.97,
    score_lost=0.005,
    score_lost_low=-0.001,
    score_lost_high=0.011,
    sparsity=0.8,
    operators={"CONV_2D": 2, "SOFTMAX": 1},
)
HEAD = {
    "path": "the Keras model 'lenet5'",
    "format": "keras",
    "score_name": "accuracy",
    "score": 0.975,
    "score_low": 0.9672,
    "score_high": 0.9818,
    "sparsity": 0.8,
    "num_examples": 1797,
    "timed": "example",
}
