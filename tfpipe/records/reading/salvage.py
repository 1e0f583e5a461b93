"""Which files a split is read from: all of them sound, or copies without the damaged records."""

import atexit
import shutil
import tempfile
import warnings

import tensorflow as tf

from tfpipe.errors import DataError, RequestError, one_of
from tfpipe.records.manifest import Manifest
from tfpipe.records.reading.check import problems, records_of

CHOICES = ("refuse", "skip")


def sound_files(manifest: Manifest, split: str, damaged: str) -> tuple[list[str], int]:
    """The split's files, compared with the manifest, and how many examples they hold.

    Args:
        manifest: what the files should hold.
        split: its name.
        damaged: "refuse", or "skip" the damaged records: those of the others are copied to a
            temporary file, and a warning counts what is missing.

    Raises:
        RequestError: no such split or choice.
        DataError: a shard is missing, damaged, or not the one that the manifest describes.
    """
    if damaged not in CHOICES:
        raise RequestError(one_of("damaged", damaged, CHOICES))
    files = manifest.files(split)
    found = problems(manifest, split)
    fatal = [problem for problem in found if damaged == "refuse" or problem.record is None]
    if fatal:
        raise fatal[0]
    broken = {problem.path for problem in found}
    num_examples = 0
    for place, shard in enumerate(manifest.split(split).shards):
        if files[place] not in broken:
            num_examples += shard.num_examples
            continue
        path = files[place]
        files[place], sound = _copy_sound(path)
        num_examples += sound
        warnings.warn(
            f"{path}: {shard.num_examples - sound} of {shard.num_examples} records are damaged "
            "and left out.",
            stacklevel=3,
        )
    if not num_examples:
        raise DataError(manifest.path, f"every record of the split {split!r} is damaged")
    return files, num_examples


def _copy_sound(path: str) -> tuple[str, int]:
    folder = tempfile.mkdtemp(prefix="tfpipe-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    sound = 0
    with tf.io.TFRecordWriter(f"{folder}/sound.tfrecord") as writer:
        for record in records_of(path):
            if record.data is not None:
                writer.write(record.data)
                sound += 1
    return f"{folder}/sound.tfrecord", sound
