"""Surface defects, pixel by pixel: a U-Net, trained on Dice and cross-entropy, as files.

    python -m pipelines.tile_defects             drawn surfaces, no download
    python -m pipelines.tile_defects --data DIR  DIR/{images,masks}/* and DIR/index.csv

Writes TFRecord shards, trains, and ends in a bundle: the files, run on the test split, with the
masks painted over the images. A file takes whole tiles, resized to its one size.

On magnetic tiles (docs/results/tile_defects.txt): mean IoU 0.726 (95 %: 0.654 to 0.785) on 70
held-out images, of defects alone 0.500 (0.360 to 0.609); int8 loses 0.001; 1,092 s on four busy
cores. Large defects are found, few of the holes and cracks, which have some pixels each at this
size. On drawn surfaces 0.889, and int8 loses nothing; 381 s on the same cores.
"""

from __future__ import annotations  # the rooms load TensorFlow; --help need not wait for it

import dataclasses
import pathlib
import sys
from typing import Any

import tfpipe as tp
from tfpipe import pipeline
from tfpipe.cli import flag


@dataclasses.dataclass(frozen=True)
class Flags:
    data: str = flag("", "a folder of images, masks and index.csv; none: surfaces are drawn")
    out: str = flag("out/tile_defects", "the folder for everything")
    epochs: int = flag(0, "passes over the data; 0: 40 if drawn, 80 if not", least=0)
    batch_size: int = flag(16, "images in a batch", least=1)
    learning_rate: float = flag(5e-3, "Adam's, at the start of its cosine decay", least=0)
    size_px: int = flag(96, "height and width that images are resized to", least=16)
    width: int = flag(12, "maps of the U-Net's first convolutions", least=1)
    depth: int = flag(4, "how often the U-Net halves the size", least=1)
    seed: int = flag(0, "of the order, the weights, the augmentation, the drawing", least=0)
    overwrite: bool = flag(False, "begin anew where --out holds a run already")


def load_source(flags: Flags) -> tp.records.Source:
    """Images and masks, in the splits that index.csv gives: a tile is on one side only."""
    if not flags.data:
        from pipelines.drawn.surfaces import surfaces

        print("The surfaces are drawn: the scores say nothing about real ones.")
        return surfaces(flags.seed)
    return tp.records.mask_folder(
        f"{flags.data}/images",
        f"{flags.data}/masks",
        classes=127,  # some masks have stray greys at their edges
        class_names=("free", "defect"),
        split=tp.records.csv_column(f"{flags.data}/index.csv", "stem", "split"),
        channels=1,
        name="tile_defects",
    )


def kinds_of(flags: Flags, names: list[str]) -> list[str]:
    """The kind of each image's defect, or "free"."""
    if not flags.data:
        return [name.split("_")[0] for name in names]
    kinds = tp.records.csv_column(f"{flags.data}/index.csv", "stem", "class")
    return [kinds[name] for name in names]


def make(flags: Flags, manifest: tp.records.Manifest, out: pathlib.Path) -> tp.export.Bundle:
    import keras

    ops, read, size = tp.ops, tp.records.read, (flags.size_px, flags.size_px)
    epochs, names = flags.epochs or (80 if flags.data else 40), manifest.class_names
    cut = ops.RandomResizedCrop(size, scale=(0.7, 1.0), ratio=(0.5, 2.0))
    even = ops.Clahe(clip_limit=4.0, tile_grid=(2, 2))  # the exposures differ from tile to tile
    moved = [ops.RandomFlip("horizontal_and_vertical"), ops.ColorJitter(0.05, 0.1)]
    prepare = ops.Chain([ops.Decode(1), cut, ops.Resize(size), even, *moved, ops.ToFloat()])
    train = read(manifest, "train", prepare, batch_size=flags.batch_size, shuffle_seed=flags.seed)
    val = read(manifest, "val", prepare.inference(), batch_size=16, cache=True)
    test = read(manifest, "test", prepare.outside(), batch_size=16)

    def segment() -> Any:
        model = tp.models.unet((*size, 1), len(names), depth=flags.depth, width=flags.width)
        adam = tp.train.cosine_adam(flags.learning_rate, epochs * len(train))
        iou = keras.metrics.MeanIoU(len(names), sparse_y_pred=False, name="mean_iou")
        model.compile(adam, tp.train.DiceCrossentropy([1.0, 5.0]), metrics=[iou])
        tp.train.fit(model, train, val, epochs=epochs, clip_norm=None)
        return model

    with tp.train.distribute(seed=flags.seed):
        model, history = tp.train.keep(out / "model.keras", segment)
    _, (answers,) = tp.export.examine(tp.export.from_keras(model, prepare), [], test)
    kinds = kinds_of(flags, tp.records.ids(manifest, "test"))
    by_kind = tp.export.overlap_table(answers.rows, names, kinds)
    curves = tp.report.curves(history)
    notes: dict[str, str | bytes] = {"By kind of defect": by_kind, "Training": curves}
    path, bar = out / "bundle", {"score_lost": 0.01}
    return tp.export.bundle(model, manifest, path, prepare=prepare, require=bar, notes=notes)


if __name__ == "__main__":
    sys.exit(pipeline.run(load_source, make, Flags, doc=__doc__))
