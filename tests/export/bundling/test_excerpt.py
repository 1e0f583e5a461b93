"""The excerpt: what the data was, and the sums that prove it."""

import json

from tfpipe.export.bundling.excerpt import excerpt


def test_it_is_in_the_bundle(bundled, manifest):
    written = json.loads((bundled.path / "manifest.json").read_bytes())
    assert written == json.loads(json.dumps(excerpt(manifest)))  # a tuple is a list there


def test_it_has_the_counts_the_sums_and_the_rule(manifest):
    found = excerpt(manifest)
    assert found["name"] == "digits"
    assert found["class_names"] == list("0123456789")
    assert found["rule"]["stratified"] is True
    test = found["splits"]["test"]
    assert test["num_examples"] == sum(test["class_counts"])
    assert test["sha256"] == [shard.sha256 for shard in manifest.splits["test"].shards]


def test_it_names_no_folder_of_the_machine(manifest):
    assert manifest.path not in json.dumps(excerpt(manifest))
