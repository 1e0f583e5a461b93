"""The room is light: nothing heavy is loaded before a picture is drawn, TensorFlow never."""

DRAWN = """
import sys
import numpy as np
from tfpipe import report
png = report.curves({"loss": [1.0, 0.5]})
report.confusion([[1, 0], [0, 1]], ["a", "b"])
report.grid(np.zeros((1, 8, 8, 1), np.uint8), ["a"])
report.page("a", [("b", report.figure(png, alt="c")), ("d", report.html_table(["e"], [[1]]))])
print(sorted({"keras", "tensorflow", "tf_keras", "matplotlib.pyplot"} & set(sys.modules)))
"""


def test_importing_it_loads_nothing_heavy(python):
    heavy = {"PIL", "cv2", "keras", "matplotlib", "numpy", "rich", "tensorflow"}
    done = python(f"import sys, tfpipe.report; print(sorted({heavy!r} & set(sys.modules)))")
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_drawing_loads_neither_tensorflow_nor_pyplot(python):
    assert python(DRAWN).stdout == "[]\n"
