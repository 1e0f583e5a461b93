"""The gradient is compared with calculus, half precisions with float32."""

import pytest
import tensorflow as tf

from tfpipe.doctor import arithmetic


def test_a_wrong_gradient_is_found(monkeypatch):
    monkeypatch.setattr(tf.GradientTape, "gradient", lambda tape, y, x: y)
    found = arithmetic.gradient()
    assert found.state == "wrong"
    assert found.found.startswith("d/dx of x^3 + 2x + 1 at 2 is not 14: {'CPU:0': (13.0, 13.0)")
    again = f"python -m pip install --force-reinstall tensorflow=={tf.__version__}"
    assert found.todo == f"Install TensorFlow again: {again}"


def test_every_device_is_tried():
    assert arithmetic.gradient().found.endswith(" is 14 on CPU:0, CPU:1, plain and in a graph")


PAYS = '{0} pays ({1} times as fast): train.distribute(precision="{0}")'


@pytest.mark.parametrize(
    ("float16", "bfloat16", "sentence"),
    [
        (0.5, 0.25, PAYS.format("mixed_bfloat16", "4.0")),
        (0.5, 2.0, PAYS.format("mixed_float16", "2.0")),
        (
            0.9,
            2.0,
            "mixed precision does not pay (float16: 1.1 times as fast): keep float32",
        ),
    ],
)
def test_what_pays(float16, bfloat16, sentence):
    quick = {"float32": 1.0, "float16": 0.1, "bfloat16": 0.1}
    slow = {"float32": 1.0, "float16": float16, "bfloat16": bfloat16}
    assert arithmetic.verdict({"matmul": quick, "convolution": slow}) == sentence


def test_each_precision_is_timed():
    found = arithmetic.precision()
    assert found.state == "good"
    assert [row[0] for row in found.rows] == ["", "float32", "float16", "bfloat16"]
    for _, matmul, gain, convolution, _ in found.rows[1:]:
        assert min(float(matmul), float(convolution)) > 0
        assert float(gain) == pytest.approx(float(found.rows[1][1]) / float(matmul), rel=0.1)


def test_a_wrong_product_is_found(monkeypatch):
    product = tf.matmul
    monkeypatch.setattr(
        tf, "matmul", lambda a, b: product(a, b) * (1.1 if a.dtype == tf.float16 else 1)
    )
    found = arithmetic.precision()
    assert (found.state, found.found) == (
        "wrong",
        "the results are not those of float32: matmul in float16",
    )
