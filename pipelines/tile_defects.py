"""Surface defects, pixel by pixel: a U-Net, trained on Dice and cross-entropy, as files.

    python -m pipelines.tile_defects             drawn surfaces, no download
    python -m pipelines.tile_defects --data DIR  DIR/{images,masks}/*; DIR/index.csv may have splits

On magnetic tiles (docs/results/tile_defects.txt): mean IoU 0.762 (95 %: 0.698 to 0.809) on 70
held-out images, of defects alone 0.566 (0.441 to 0.657); int8 loses 0.002; 386 s on two cores.
Large defects are found, few of the holes and cracks, which have some pixels each at this size.
On drawn surfaces 0.873 (0.808 to 0.915); 147 s of processor time.
"""

from __future__ import annotations  # the rooms load TensorFlow; --help need not wait for it

import dataclasses
import functools
import pathlib

import tfpipe as tp
from pipelines.drawn.surfaces import kind_of, surfaces
from tfpipe.pipeline import flag, judged, run


@dataclasses.dataclass(frozen=True)
class Flags:
    data: str = flag("", "a folder of images/ and masks/; none: surfaces are drawn")
    classes: tuple[int, ...] = flag((127,), "a defect is above it; or all greys", least=0, most=255)
    out: str = flag("out/tile_defects", "the folder for everything; a broken run goes on there")
    epochs: int = flag(0, "passes over the data; 0: 25 if drawn, 80 if not", least=0)
    size_px: int = flag(96, "height and width that images are resized to", least=16)
    width: int = flag(12, "maps of the U-Net's first convolutions", least=1)
    depth: int = flag(4, "how often the U-Net halves the size", least=1)
    seed: int = flag(0, "of the order, the weights, the augmentation, the drawing", least=0)
    overwrite: bool = flag(False, "begin anew where --out holds a run already")


def column(flags: Flags, name: str) -> dict[str, str] | None:
    index = pathlib.Path(flags.data, "index.csv")
    read = functools.partial(tp.records.csv_column, index, "stem", optional=True)
    return read(name) or None if index.is_file() else None


def load_source(flags: Flags) -> tp.records.Source:
    if not flags.data:
        return surfaces(flags.seed)
    greys = flags.classes
    # A threshold, unless told: some masks have stray greys at their edges.
    classes = greys[0] if len(greys) == 1 else {grey: n for n, grey in enumerate(greys)}
    defects = [f"defect {grey}" for grey in greys[1:]] if len(greys) > 2 else ["defect"]
    read = functools.partial(tp.records.mask_folder, f"{flags.data}/images", f"{flags.data}/masks")
    named = functools.partial(read, class_names=("free", *defects), channels=1, name="tile_defects")
    source = named(classes=classes, split=column(flags, "split"), seed=flags.seed)
    return tp.records.with_val(source, seed=flags.seed)


def make(flags: Flags, manifest: tp.records.Manifest, out: pathlib.Path) -> tp.export.Bundle:
    import keras

    ops, size, number = tp.ops, (flags.size_px,) * 2, manifest.num_classes
    epochs = flags.epochs or (80 if flags.data else 25)
    kinds = column(flags, "class") if flags.data else kind_of
    cut = ops.RandomResizedCrop(size, scale=(0.7, 1.0), ratio=(0.5, 2.0))
    even = ops.Clahe(clip_limit=4.0, tile_grid=(2, 2))  # the exposures differ from tile to tile
    moved = [ops.RandomFlip("horizontal_and_vertical"), ops.ColorJitter(0.05, 0.1)]
    prepare = ops.Chain([ops.Decode(1), cut, ops.Resize(size), even, *moved, ops.ToFloat()])
    read = functools.partial(tp.records.read, manifest, batch_size=16)
    train = read("train", prepare, shuffle_seed=flags.seed)
    val = read("val", prepare.inference(), cache=True)
    with tp.train.distribute(seed=flags.seed):
        model = tp.models.unet((*size, 1), number, depth=flags.depth, width=flags.width)
        adam = tp.train.cosine_adam(5e-3, epochs * len(train))
        iou = keras.metrics.MeanIoU(number, sparse_y_pred=False, name="mean_iou")
        loss = tp.train.DiceCrossentropy([1.0] + [5.0] * (number - 1))
        model.compile(adam, loss, metrics=[iou])
        fit = functools.partial(tp.train.fit, epochs=epochs, clip_norm=None)
        model, history = tp.train.keep(out / "model.keras", fit, model, train, val)
    notes: dict[str, str | bytes] = {"Training": tp.report.curves(history)}
    scored = judged(manifest)
    if kinds:
        by_kind = tp.export.overlap_by_group(model, manifest, prepare, kinds, split=scored)
        notes = {"By kind of defect": by_kind, **notes}
    bundle = functools.partial(tp.export.bundle, prepare=prepare, require={"score_lost": 0.01})
    return bundle(model, manifest, out / "bundle", split=scored, notes=notes)


if __name__ == "__main__":
    raise SystemExit(run(load_source, make, Flags, doc=__doc__))
