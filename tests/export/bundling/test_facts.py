"""What a report says of its machine."""

import importlib.metadata
import json

from tfpipe import export
from tfpipe.export.bundling import facts


def test_the_versions_are_those_that_are_installed():
    found = facts.machine()
    for name in ("tensorflow", "keras", "ai-edge-litert", "onnxruntime", "numpy"):
        assert found[name] == importlib.metadata.version(name)
    assert found["processor"]


def test_where_the_system_does_not_tell_its_kind_is_enough(monkeypatch, tmp_path):
    monkeypatch.setattr(facts, "CPU_INFO", tmp_path / "none")
    assert facts.processor()
    (tmp_path / "cpuinfo").write_text("processor: 0\nmodel name\t: A Chip 9000\n")
    monkeypatch.setattr(facts, "CPU_INFO", tmp_path / "cpuinfo")
    assert facts.processor() == "A Chip 9000"


def test_they_are_json_and_hold_the_texts_of_the_notes(trained, prepare):
    found = facts.facts(
        trained,
        export.from_keras(trained, prepare),
        split="val",
        require={"agreement": 0.9},
        notes={"Use": "any", "Training": b"\x89PNG"},
    )
    assert json.loads(json.dumps(found)) == found
    assert found["notes"] == {"Use": "any"}
    assert (found["split"], found["require"]) == ("val", {"agreement": 0.9})
    assert found["num_parameters"] == 61_706
