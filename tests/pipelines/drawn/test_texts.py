"""Drawn reviews: of their seed, of both kinds, and with a label that their words tell."""

from pipelines.drawn import texts


def told(text):
    """For or against, by the last clause alone."""
    last = text.removesuffix(".").split(", and ")[-1]
    return (last.split()[-1] in texts.FAVOUR) != (" not " in last)


def test_they_are_those_of_their_seed():
    first, again, other = (list(texts.texts(seed, number=30)) for seed in (0, 0, 1))
    assert first == again != other


def test_every_clause_tells_the_label():
    found = list(texts.texts(0, number=300))
    assert {example["label"] for example in found} == {0, 1}
    for example in found:
        assert told(example["text"]) == example["label"]
