"""The area under the ROC curve, against scikit-learn."""

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from tfpipe.export.scoring.areas import weighted_areas

EXAMPLES = st.lists(
    st.tuples(st.integers(0, 6), st.booleans(), st.integers(0, 3)), min_size=1, max_size=40
)


@hypothesis.given(EXAMPLES)
@hypothesis.settings(max_examples=60)
def test_areas_with_ties_and_weights_are_those_of_scikit_learn(examples):
    scores, positive, counts = map(np.array, zip(*examples, strict=True))
    (found,) = weighted_areas(scores / 6, positive, counts[None].astype(float))
    drawn = counts > 0
    if len(np.unique(positive[drawn])) < 2:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(roc_auc_score(positive, scores, sample_weight=counts))


def test_every_sample_has_an_area_of_its_own():
    generator = np.random.default_rng(0)
    scores, positive = generator.random(300), generator.random(300) < 0.2
    counts = generator.integers(0, 4, (5, 300))
    expected = [roc_auc_score(positive, scores, sample_weight=count) for count in counts]
    np.testing.assert_allclose(weighted_areas(scores, positive, counts), expected)
