"""How often drift's alarms are false, how soon the true ones come, and what a request costs.

    python scripts/bench_drift.py [--data DIR] [--repeats 200] [--shifts 20]

First, two random halves of the same examples, --repeats times: the profile is made of one, the
other is compared with it, and streamed through a monitor with all its looks. Shown is the share of
the halves with any alarm at the rate `alert` 0.05, and how many alarms of 0.05 would be by chance.
Then shifts, --shifts times each: the monitor's examples until its first alarm at `alert` 0.01, from
the shift on; and what raised it. Then what a request costs.

Without --data the examples are scikit-learn's digits, with LeNet-5 trained on those from 0 to 8.
Models are trained first, for about two minutes, on examples of their own. DIR holds folders of
mnist (the four idx files, gzipped), covid_xray (train/ and val/ by class), chestxray14_sample
(images/), magnetic_tile (images/) and rt_polarity (rt-polarity.pos and .neg), as far as they are
there. Of mnist the profile holds 2,000 examples and the window as many; else the window is 500.
"""

import argparse
import collections
import dataclasses
import gzip
import pathlib
import statistics
import time
from collections.abc import Callable, Iterator, Sequence

import cv2
import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits, load_sample_images

import tfpipe as tp
from tfpipe.drift.inputs import read

ALERT, RATE = 0.01, 0.05
SIDE = 224
STEP = 16  # examples at once; the monitor looks after 16, 32, 64, ...
GERMAN = """Der Film ist leider viel zu lang und verliert nach einer Stunde jede Spannung.
Ein wunderbar gespieltes Drama, das noch lange nachwirkt.
Die Handlung ist vorhersehbar, aber die Bilder sind schön.
Selten hat eine Komödie so wenig zum Lachen gebracht.
Wer ruhige Geschichten mag, wird hier reich belohnt.
Das Drehbuch weiß nicht, was es erzählen will.
Große Schauspieler in einem kleinen, klugen Film.
Am Ende bleibt nur die Musik in Erinnerung.
Die Regie findet für jede Szene den richtigen Ton.
Ohne den Hauptdarsteller wäre das alles kaum zu ertragen.
Ein Stück Kino, das man nicht so schnell vergisst.
Zwischen den Figuren stimmt einfach gar nichts."""
SENTENCES = GERMAN.split("\n")

Change = Callable[[np.ndarray], np.ndarray]
SHIFTS: dict[str, Change] = {
    "brightness x0.8": lambda image: (image * 0.8).astype(np.uint8),
    "brightness x0.95": lambda image: (image * 0.95).astype(np.uint8),
    "blur, 1 pixel": lambda image: blurred(image, 1.0),
    "blur, 0.5 pixel": lambda image: blurred(image, 0.5),
    "JPEG quality 10": lambda image: compressed(image, 10),
    "JPEG quality 50": lambda image: compressed(image, 50),
}


@dataclasses.dataclass
class Case:
    """Examples, the part of them that the profile is made of at a time, and what may befall them.

    `examples` and those of `shifts` are what `observe` takes; `shares` says which part of a
    shifted stream is shifted. `targets` are only there with a model. `window` is the monitor's.
    """

    name: str
    examples: Sequence
    shifts: dict[str, tuple[Sequence, float]]
    prepare: tp.ops.Chain | None = None
    model: keras.Model | None = None
    targets: np.ndarray | None = None
    window: int = 500
    profiles: dict[tuple[int, bool], tp.drift.Profile] = dataclasses.field(default_factory=dict)


def blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(image, (0, 0), sigma).reshape(image.shape)


def compressed(image: np.ndarray, quality: int) -> np.ndarray:
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(data, cv2.IMREAD_UNCHANGED).reshape(image.shape)


def greys(folder: pathlib.Path, pattern: str, side: int = SIDE) -> np.ndarray:
    files = sorted(folder.glob(pattern))
    images = [cv2.imread(str(file), cv2.IMREAD_GRAYSCALE) for file in files]
    small = [cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA) for image in images]
    return np.stack(small)[..., None]


def changed(images: np.ndarray) -> dict[str, tuple[Sequence, float]]:
    return {name: (np.stack([*map(change, images)]), 1.0) for name, change in SHIFTS.items()}


def digits() -> Case:
    """0 to 8 are known to the model; 9 is the class that it never saw."""
    found = load_digits()
    images = [cv2.resize(image, (32, 32)) for image in found.images * 255 / 16]
    pixels, labels = np.stack(images).round().astype(np.uint8)[..., None], found.target
    order = np.random.default_rng(0).permutation(np.flatnonzero(labels < 9))
    case = numerals("digits", pixels, labels, order[:600], order[600:])
    fewer = case.examples[case.targets < 5]
    shifts = changed(case.examples) | case.shifts | {"classes 0 to 4 only": (fewer, 1.0)}
    return dataclasses.replace(case, shifts=shifts)


def mnist(data: pathlib.Path) -> Case:
    """The same with a reference of 2,000, so many as a profile holds: what 10 % takes."""
    parts = []
    for name in ("images-idx3", "labels-idx1"):
        files = sorted((data / "mnist").glob(f"*-{name}-ubyte.gz"))  # t10k, train
        head = {"images-idx3": 16, "labels-idx1": 8}[name]
        found = [
            np.frombuffer(gzip.decompress(file.read_bytes())[head:], np.uint8) for file in files
        ]
        parts.append(np.concatenate(found))
    pixels, labels = parts[0].reshape(-1, 28, 28), parts[1]
    pixels = np.pad(pixels, ((0, 0), (2, 2), (2, 2)))[..., None]
    order = np.random.default_rng(0).permutation(np.flatnonzero(labels < 9))
    case = numerals("mnist", pixels, labels, order[4200:], order[:4200], epochs=3, batch_size=128)
    return dataclasses.replace(case, window=tp.drift.MOST_EXAMPLES)


def numerals(
    name: str,
    pixels: np.ndarray,
    labels: np.ndarray,
    train: np.ndarray,
    rest: np.ndarray,
    **fit: int,
) -> Case:
    """A LeNet-5 that knows 0 to 8, and what it does not know."""
    keras.utils.set_random_seed(0)
    model = tp.models.lenet5(num_classes=9)
    model.compile(keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy")
    model.fit(pixels[train] / np.float32(255), labels[train], verbose=0, **({"epochs": 8} | fit))
    prepare = tp.ops.Chain([tp.ops.Decode(1), tp.ops.Resize((32, 32)), tp.ops.ToFloat()])
    nines = pixels[labels == 9]
    shifts = {"10 % of an unknown class": (nines, 0.1), "10 % photographs": (photographs(), 0.1)}
    case = Case(name, pixels[rest], shifts, prepare, model, labels[rest])
    return known(case, case.examples / np.float32(255))


def photographs() -> np.ndarray:
    """Pieces of scikit-learn's two photographs, grey."""
    pictures = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in load_sample_images().images]
    pieces = [
        p[y : y + 64, x : x + 64]
        for p in pictures
        for y in (0, 160, 320)
        for x in range(0, 512, 64)
    ]
    return np.stack([cv2.resize(piece, (32, 32)) for piece in pieces])[..., None]


def strangers(data: pathlib.Path, side: int) -> dict[str, tuple[Sequence, float]]:
    """What else may come where X-rays of one hospital are expected."""
    shifts = {}
    for name, folder, pattern, share in (
        ("another hospital's", "chestxray14_sample", "images/**/*.png", 1.0),
        ("10 % another hospital's", "chestxray14_sample", "images/**/*.png", 0.1),
        ("10 % no X-rays at all", "magnetic_tile", "images/**/*.jpg", 0.1),
    ):
        if (data / folder).is_dir():
            shifts[name] = (greys(data / folder, pattern, side), share)
    return shifts


def xrays(data: pathlib.Path) -> Case:
    images = greys(data / "covid_xray", "*/*/*.png")
    return Case("covid_xray", images, changed(images) | strangers(data, SIDE))


def known_xrays(data: pathlib.Path) -> Case:
    """With a small residual network, trained on half of the images; the others are the examples."""
    files = sorted((data / "covid_xray").glob("*/*/*.png"))
    kinds = sorted({file.parent.name for file in files})
    labels = np.array([kinds.index(file.parent.name) for file in files])
    images, order = greys(data / "covid_xray", "*/*/*.png", 96), np.arange(len(files))
    train, rest = np.split(np.random.default_rng(0).permutation(order), [len(files) // 2])
    layers = keras.layers
    keras.utils.set_random_seed(0)
    moved = [layers.RandomFlip("horizontal"), layers.RandomTranslation(0.08, 0.08)]
    light = [layers.RandomBrightness(0.15, (0, 1)), layers.RandomContrast(0.15)]
    model = tp.models.build(
        "residual", input_shape=(96, 96, 1), num_classes=len(kinds), depth=8, width=32, stride=4
    )
    training = keras.Sequential([*moved, *light, model])
    rate = tp.train.cosine_adam(2e-3, 40 * -(-len(train) // 16), warm_up=0.05, average=0.03)
    training.compile(rate, "sparse_categorical_crossentropy")
    training.fit(images[train] / np.float32(255), labels[train], 16, epochs=40, verbose=0)
    return known(
        Case(
            "covid_xray, with a model",
            images[rest],
            changed(images[rest]) | strangers(data, 96),
            tp.ops.Chain([tp.ops.Decode(1), tp.ops.Resize((96, 96)), tp.ops.ToFloat()]),
            model,
            labels[rest],
        ),
        images[rest] / np.float32(255),
    )


def known(case: Case, inputs: np.ndarray) -> Case:
    """Tells how good the model is: what it does not know it cannot miss."""
    assert case.model is not None
    assert case.targets is not None
    right = case.model.predict(inputs, verbose=0).argmax(1) == case.targets
    print(f"{case.name}: accuracy {right.mean():.3f} on {len(right):,} examples", flush=True)
    return case


def files(data: pathlib.Path) -> Case:
    """The same as files, so that the sizes of the images are known."""
    prepare = tp.ops.Chain([tp.ops.Decode(1), tp.ops.Resize((SIDE, SIDE))])
    folders = {"covid_xray": "*/*/*.png", "chestxray14_sample": "images/**/*.png"}
    folders["magnetic_tile"] = "images/**/*.jpg"
    own, other, none = (
        [file.read_bytes() for file in sorted((data / folder).glob(pattern))]
        for folder, pattern in folders.items()
    )
    shifts = {"another hospital's": (other, 1.0), "10 % another hospital's": (other, 0.1)}
    shifts |= {"10 % no X-rays at all": (none, 0.1)}
    return Case("covid_xray, files", own, {k: v for k, v in shifts.items() if v[0]}, prepare)


def texts(data: pathlib.Path) -> Case:
    """With a small LSTM, trained on 5,000 sentences; 2,000 others are the examples."""
    lines: list[tuple[str, int]] = []
    for label, kind in enumerate(("neg", "pos")):
        text = (
            (data / "rt_polarity" / f"rt-polarity.{kind}").read_bytes().decode("utf-8", "replace")
        )
        lines += [(line, label) for line in text.split("\n") if tp_words(line)]
    order = np.random.default_rng(0).permutation(len(lines))
    sentences, labels = zip(*(lines[place] for place in order), strict=True)
    counts = collections.Counter(word for line in sentences[:5000] for word in tp_words(line))
    words = [word for word, count in counts.items() if count > 1]
    prepare = tp.ops.Chain([tp.ops.Tokenize(("[PAD]", "[UNK]", *words)), tp.ops.Window(48)])
    tokens = read(sentences[:7000], prepare).takes
    keras.utils.set_random_seed(0)
    model = tp.models.bilstm((48,), 2, vocabulary_size=len(words) + 2, units=32, dropout=0.5)
    model.compile(keras.optimizers.Adam(2e-3), "sparse_categorical_crossentropy")
    model.fit(tokens[:5000], np.array(labels[:5000]), 64, epochs=4, verbose=0)
    rest = list(sentences[5000:7000])
    halved = [" ".join(line.split()[: len(line.split()) // 2 or 1]) for line in rest]
    shifts = {
        "another language": (SENTENCES, 1.0),
        "10 % another language": (SENTENCES, 0.1),
        "half as long": (halved, 1.0),
    }
    case = Case("rt_polarity", rest, shifts, prepare, model, np.array(labels[5000:7000]))
    return known(case, tokens[5000:])


def tp_words(text: str) -> list[str]:
    from tfpipe.tokens import words

    return words(text)


def chosen(examples: Sequence, places: Sequence[int]) -> Sequence:
    if isinstance(examples, np.ndarray):
        return examples[places]
    return [examples[place] for place in places]


def profile_of(case: Case, places: np.ndarray) -> tp.drift.Profile:
    examples = chosen(case.examples, places)
    data = examples if case.targets is None else (examples, case.targets[places])
    return tp.drift.profile(data, case.model, case.prepare)


def false_alarms(case: Case, repeats: int) -> list[str | float]:
    """The share of repeats with any alarm: by `compare`, and by a monitor with all its looks."""
    num, compared, streamed, looks = len(case.examples), 0, 0, 0
    for repeat in range(repeats):
        order = np.random.default_rng(repeat).permutation(num)
        profile = profile_of(case, order[: num // 2])
        rest = chosen(case.examples, order[num // 2 :])
        options = {"model": case.model, "prepare": case.prepare}
        compared += bool(tp.drift.compare(profile, rest, alert=RATE, **options).drifted)
        window = case.window // 4  # so that there are many looks
        monitor = tp.drift.Monitor(profile, window=window, alert=RATE, picture_px=0, **options)
        for start in range(0, len(rest), STEP):
            monitor.observe(rest[start : start + STEP])
        streamed += bool(monitor.alarms)
        looks += monitor.state()["looks"]
    return [case.name, num // 2, looks / repeats, compared / repeats, streamed / repeats, RATE]


def stream(case: Case, shift: str, places: np.ndarray, seed: int) -> Iterator[Sequence]:
    """Shifted examples, 16 by 16; of a part of them, mixed among those that are as ever."""
    draw, (moved, share) = np.random.default_rng(seed), case.shifts[shift]
    pool = places if len(moved) == len(case.examples) else draw.permutation(len(moved))
    if share == 1:
        pool = np.resize(pool, max(len(pool), 64))  # a dozen sentences come again and again
        for start in range(0, len(pool), STEP):
            yield chosen(moved, pool[start : start + STEP])
        return
    for start in range(0, len(places) - STEP, STEP):
        new = np.flatnonzero(draw.random(STEP) < share)
        examples = list(chosen(case.examples, places[start : start + STEP]))
        for place in new:
            examples[place] = moved[draw.choice(pool)]
        yield np.stack(examples) if isinstance(case.examples, np.ndarray) else examples


def until_alarm(case: Case, shift: str, repeats: int) -> list[str | float]:
    num, counts, raised = len(case.examples), [], collections.Counter()
    for repeat in range(repeats):
        order = np.random.default_rng(repeat).permutation(num)
        moved, share = case.shifts[shift]
        others = share == 1 and len(moved) != num  # then the stream leaves all for the profile
        key = (repeat, others)
        if key not in case.profiles:
            case.profiles[key] = profile_of(case, order if others else order[: num // 2])
        profile = case.profiles[key]
        options = {"model": case.model, "prepare": case.prepare}
        options |= {"window": case.window, "alert": ALERT, "picture_px": 0}
        monitor = tp.drift.Monitor(profile, **options)
        for examples in stream(case, shift, order[num // 2 :], repeat):
            monitor.observe(examples)
            if monitor.alarms:
                break
        if monitor.alarms:
            counts.append(monitor.alarms[0].num_examples)
            raised.update(alarm.finding.feature for alarm in monitor.alarms)
    often = ", ".join(name for name, _ in raised.most_common(3))
    ends = [statistics.median(counts), max(counts)] if counts else ["–", "–"]
    return [case.name, shift, *ends, f"{len(counts)} of {repeats}", often]


def costs(case: Case) -> list[str | float]:
    """Milliseconds of one request, of those with a look, and of all in the mean."""
    profile = profile_of(case, np.arange(len(case.examples) // 2))
    monitor, times, looked = tp.drift.Monitor(profile, prepare=case.prepare), [], []
    for number in range(1000):
        example = chosen(case.examples, [number % len(case.examples)])
        looks, started = monitor.state()["looks"], time.perf_counter()
        monitor.observe(example)
        taken = 1000 * (time.perf_counter() - started)
        (looked if monitor.state()["looks"] > looks else times).append(taken)
    median, slow = statistics.median(times), statistics.median(looked)
    return [case.name, median, slow, statistics.fmean(times + looked)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=pathlib.Path)
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--shifts", type=int, default=20)
    chosen_flags = parser.parse_args()
    tf.config.experimental.enable_op_determinism()  # so that the models are the same in every run
    cases = [digits()]
    if chosen_flags.data:
        found = {
            "mnist": (mnist,),
            "covid_xray": (xrays, files, known_xrays),
            "rt_polarity": (texts,),
        }
        for name, makers in found.items():
            if (chosen_flags.data / name).is_dir():
                cases += [make(chosen_flags.data) for make in makers]
    if chosen_flags.repeats:
        rows = [false_alarms(c, chosen_flags.repeats) for c in cases if "files" not in c.name]
        columns = ["false alarms of", "examples", "looks", "compare", "monitor", "stated"]
        print(tp.report.text_table(columns, rows), flush=True)
    if chosen_flags.shifts:
        rows = [until_alarm(c, s, chosen_flags.shifts) for c in cases for s in c.shifts]
        columns = ["data", "shift", "examples, median", "most", "alarmed", "most often by"]
        print(tp.report.text_table(columns, rows), flush=True)
    columns = ["data", "ms of a request", "with a look", "mean"]
    print(tp.report.text_table(columns, [costs(case) for case in cases]))


if __name__ == "__main__":
    main()
