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


def test_they_are_json_and_hold_the_texts_of_the_notes(trained, manifest, prepare):
    found = facts.facts(
        trained,
        manifest,
        export.from_keras(trained, prepare),
        split="val",
        require={"agreement": 0.9},
        notes={"Use": "any", "Training": b"\x89PNG"},
    )
    assert json.loads(json.dumps(found)) == found
    assert found["notes"] == {"Use": "any"}
    assert (found["split"], found["require"]) == ("val", {"agreement": 0.9})
    assert found["num_parameters"] == 61_706


def test_the_split_its_rule_and_the_job_s_time_are_told(trained, manifest, prepare, monkeypatch):
    def measured():
        predictor = export.from_keras(trained, prepare)
        found = facts.facts(trained, manifest, predictor, split="val", require={}, notes={})
        return found["measured"]

    assert measured()["examples"] == f"the split 'val', {manifest.splits['val'].num_examples}"
    assert measured()["split"] == (
        "by fractions (train 0.66, test 0.2, val 0.14), seed 0; stratified by class"
    )
    assert "time of the job, so far" not in measured()
    monkeypatch.setattr(facts, "time_taken", lambda: "35 s on 4 cores")
    assert measured()["time of the job, so far"] == "35 s on 4 cores"
