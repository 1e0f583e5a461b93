"""The whole folder, made from the finished shards: their final names, and what describes them."""

import os
import pathlib
import re
import shutil
from collections import Counter

from tfpipe.files import sync
from tfpipe.records import manifest as manifests
from tfpipe.records.manifest import Manifest, Shard, SplitInfo
from tfpipe.records.sources.base import Source
from tfpipe.records.writing.duplicates import across_splits
from tfpipe.records.writing.metadata import write_tfds_metadata
from tfpipe.records.writing.plan import Plan, fingerprint
from tfpipe.records.writing.refused import FILE, refused_rows, save_refused
from tfpipe.records.writing.shards import Finished, all_facts, shard_path


def assemble(source: Source, plan: Plan, finished: Finished, folder: pathlib.Path) -> Manifest:
    """Makes `folder / "whole"`, complete and on the disk, ready to be renamed.

    The shards are linked into it, so a call that is killed here loses nothing.
    """
    whole = folder / "whole"
    shutil.rmtree(whole, ignore_errors=True)
    whole.mkdir()
    name = re.sub(r"\W+", "_", source.name)
    rows = refused_rows(finished)
    manifest = Manifest(
        path=str(whole),
        name=name,
        features=dict(source.features),
        class_names=source.class_names,
        rule=dict(source.rule),
        splits={split: _split(source, finished, split, folder, name) for split in finished},
        num_refused=sum(row[1] == "example" for row in rows),
        num_notes=sum(row[1] != "example" for row in rows),
        image_sizes=_sizes(finished) if "image" in source.features else {},
        duplicates=across_splits(source, finished, folder),
        fingerprint=fingerprint(plan),
    )
    save_refused(rows, whole / FILE)
    write_tfds_metadata(manifest)
    manifests.save(manifest)
    sync(whole)
    return manifest


def _split(
    source: Source, finished: Finished, split: str, folder: pathlib.Path, name: str
) -> SplitInfo:
    # A shard all of whose examples were refused is left out.
    kept = [(n, facts) for n, facts in enumerate(finished[split]) if facts and facts.num_examples]
    shards = []
    for number, (n, facts) in enumerate(kept):
        file = f"{name}-{split}.tfrecord-{number:05d}-of-{len(kept):05d}"
        _link(shard_path(folder, split, n), folder / "whole" / file)
        shards.append(Shard(file, facts.num_examples, facts.num_bytes, facts.sha256))
    counts = sum((facts.class_counts for _, facts in kept), Counter[int]())
    return SplitInfo(tuple(shards), tuple(counts[i] for i in range(len(source.class_names))))


def _link(there: pathlib.Path, path: pathlib.Path) -> None:
    try:
        os.link(there, path)
    except OSError:  # a file system without hard links
        shutil.copyfile(there, path)


def _sizes(finished: Finished) -> dict[str, object]:
    counts = sum((facts.sizes_px for facts in all_facts(finished)), Counter[tuple[int, int]]())
    by_area = sorted(counts, key=lambda size: (size[0] * size[1], size))
    return {
        "distinct": len(counts),
        "smallest": list(by_area[0]),
        "largest": list(by_area[-1]),
        "most_common": [[*size, count] for size, count in counts.most_common(3)],
    }
