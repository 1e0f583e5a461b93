"""What clients are told has TensorFlow Serving's names and types."""

from tests.serve.toys import toy
from tfpipe.serve.described import metadata, status


def test_refused_versions_stand_beside_the_one_that_answers():
    states = status(toy(version=2), {4: "it is broken"})["model_version_status"]
    assert [(state["version"], state["state"]) for state in states] == [
        ("2", "AVAILABLE"),
        ("4", "END"),
    ]
    assert states[1]["status"]["error_message"] == "it is broken"


def test_images_are_bytes(engine):
    value = metadata(engine, max_instances=128)
    signature = value["metadata"]["signature_def"]["signature_def"]["serving_default"]
    images = signature["inputs"]["images"]
    sizes = [dim["size"] for dim in images["tensor_shape"]["dim"]]
    assert (images["dtype"], sizes) == ("DT_UINT8", ["-1", "32", "32", "1"])
    assert value["metadata"]["tfpipe"] == {
        "file": "int8.tflite",
        "format": "tflite",
        "mode": "int8",
        "class_names": list("0123456789"),
        "thresholds": None,
        "max_instances": 128,
    }
