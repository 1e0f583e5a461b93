"""TensorFlow Serving's folder: what is where, and what is refused."""

import pytest
from google.protobuf import text_format

from tests.deploy.messages import CLASSES
from tfpipe import deploy
from tfpipe.errors import DataError, RequestError


def refused(*arguments, **options):
    with pytest.raises(RequestError) as caught:
        deploy.to_tf_serving(*arguments, **options)
    return str(caught.value)


def test_the_layout(bundle, tmp_path):
    assert deploy.to_tf_serving(bundle, tmp_path / "models") == tmp_path / "models"
    model = tmp_path / "models/digits/1"
    for name in ("saved_model.pb", "variables/variables.index"):
        assert (model / name).read_bytes() == (bundle / "saved_model" / name).read_bytes()
    assert (model / "assets.extra/tf_serving_warmup_requests").stat().st_size > 0
    entries = sorted(path.name for path in (tmp_path / "models").iterdir())
    assert entries == ["digits", "models.config"]


def test_the_configuration_is_one_of_tensorflow_serving(bundle, tmp_path):
    path = deploy.to_tf_serving(bundle, tmp_path)
    config = CLASSES["ModelServerConfig"]()
    text_format.Parse((path / "models.config").read_text(), config)
    (model,) = config.model_config_list.config
    assert (model.name, model.base_path, model.model_platform) == (
        "digits",
        "/models/digits",
        "tensorflow",
    )


def test_a_later_version_beside_the_first(bundle, tmp_path):
    for version in (1, 2):
        deploy.to_tf_serving(bundle, tmp_path, version=version)
    assert sorted(path.name for path in (tmp_path / "digits").iterdir()) == ["1", "2"]
    assert refused(bundle, tmp_path, version=2) == (
        f"Version 2 is in {str(tmp_path)!r} already. Take a higher one."
    )


@pytest.mark.parametrize("version", [0, "1", True])
def test_a_version_that_is_none(bundle, tmp_path, version):
    assert refused(bundle, tmp_path, version=version) == (
        f"Expected `version` to be a whole number from 1. Received: version={version!r}"
    )


def test_a_bundle_without_a_saved_model(make_bundle, tmp_path):
    bundle = make_bundle("int8")
    assert refused(bundle, tmp_path / "models") == (
        f"The bundle {str(bundle)!r} has no SavedModel. Write it with "
        '`formats=(..., "saved_model")`.'
    )
    assert not (tmp_path / "models").exists()


def test_a_folder_of_another_model(bundle, make_bundle, tmp_path):
    deploy.to_tf_serving(bundle, tmp_path)
    other = make_bundle("saved_model", name="xray")
    assert refused(other, tmp_path) == (
        f"{str(tmp_path / 'models.config')!r} is of another model, or was changed. Choose another "
        "folder, and put both models into one models.config by hand."
    )
    assert not (tmp_path / "xray").exists()


@pytest.mark.parametrize("name", ["a/b", "../a", 'a"b', "a b", "ä", ""])
def test_a_name_that_cannot_stand_in_a_path(make_bundle, tmp_path, name):
    with pytest.raises(DataError) as caught:
        deploy.to_tf_serving(make_bundle("saved_model", name=name), tmp_path)
    problem = f"expected a name of letters, digits, '.', '-' and '_', found {name!r}"
    assert caught.value.problem == problem
