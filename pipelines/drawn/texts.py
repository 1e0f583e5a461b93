"""Drawn reviews: three to twelve clauses, all for a film or all against it; "not" turns a word."""

import random

import tfpipe as tp

CLASSES = ("negative", "positive")
NOUNS = ("the plot", "the cast", "its music", "every scene", "this film", "its end", "the star")
AGAINST = ("dull", "silly", "clumsy", "empty", "cold", "loud")
FAVOUR = ("fine", "funny", "clever", "moving", "warm", "bright")


def texts(
    seed: int, number: int = 4000, *, split: tuple[float, float, float] = (0.85, 0.05, 0.1)
) -> tp.records.Source:
    """The reviews with their labels."""
    features = {"text": tp.records.Feature("text"), "label": tp.records.Feature("label")}
    rows = [review(f"{seed}/{index}", f"{index:05d}") for index in range(number)]
    return tp.records.examples(
        rows, features, class_names=CLASSES, split=split, seed=seed, name="drawn"
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
