"""What goes with the model files."""


def test_the_programs_use_the_smallest_tflite_file(bundled):
    sizes = {f.path: f.bytes for f in bundled.report.files if f.format == "tflite"}
    assert min(sizes, key=sizes.get) == "int8.tflite"
    for name in ("use.py", "Use.kt", "Use.swift"):
        assert "Runs int8.tflite on" in (bundled.path / name).read_text(encoding="utf-8")
