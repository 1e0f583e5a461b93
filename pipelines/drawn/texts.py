"""Drawn reviews: three to twelve clauses, all for a film or all against it; "not" turns a word.

Example:

    source = texts(seed=0)
"""

from __future__ import annotations  # the rooms load TensorFlow; --help need not wait for it

import random

import tfpipe as tp

SPLIT = (0.85, 0.05, 0.1)
CLASSES = ("negative", "positive")
NOUNS = ("the plot", "the cast", "its music", "every scene", "this film", "its end", "the star")
AGAINST = ("dull", "silly", "clumsy", "empty", "cold", "loud")
FAVOUR = ("fine", "funny", "clever", "moving", "warm", "bright")


def texts(seed: int, *, number: int = 4000) -> tp.records.Source:
    """The reviews, each `text` with a `label`."""
    print("The texts are drawn, and easy: the scores say nothing of real ones.")
    features = {"text": tp.records.Feature("text"), "label": tp.records.Feature("label")}
    rows = [review(f"{seed}/{index}", f"{index:05d}") for index in range(number)]
    return tp.records.examples(
        rows, features, class_names=CLASSES, split=SPLIT, seed=seed, name="drawn_texts"
    )


def review(key: str, example_id: str) -> dict[str, object]:
    """The review that is drawn from a key."""
    draw = random.Random(key)
    label = draw.randrange(2)
    clauses = []
    for _ in range(draw.randrange(3, 13)):
        turned = draw.random() < 0.3
        word = draw.choice(FAVOUR if label != turned else AGAINST)
        clauses.append(f"{draw.choice(NOUNS)} is {'not ' * turned}{word}")
    return {"id": example_id, "text": ", and ".join(clauses) + ".", "label": label}
