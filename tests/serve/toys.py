"""Engines without a model, and what can be built around them in this process."""

import types

import numpy as np

from tfpipe.errors import RequestError
from tfpipe.serve import Engine, Limits, Metrics, Service, make_app
from tfpipe.serve.forms import Form


def toy(score=None, version=1, prepare=list, monitor=None):
    """An engine whose instances are single numbers: the scores are (x, 10 x)."""

    def parse(instances):
        if not all(type(instance) in (int, float) for instance in instances):
            raise RequestError("Expected numbers.")
        return list(instances)

    def predict(inputs):
        return (score or doubled)(inputs)

    predictor = types.SimpleNamespace(
        name="toy.tflite", format="tflite", mode="float32", dtype="float32", input_shape=(1,)
    )
    predictor.predict = predict
    form = Form("features", parse, prepare)
    return Engine("toy", version, ("no", "yes"), predictor, form, monitor)


def doubled(inputs):
    return np.array([[x, 10 * x] for x in inputs], np.float32)


class Fixed:
    """One engine for ever, where `Service` expects `Versions`."""

    def __init__(self, engine):
        self.engine, self.refused = engine, {}

    def newest(self):
        return self.engine


def service_of(engine, bound=8, most=4):
    return Service(Fixed(engine), Metrics(), bound=bound, most=most)


def app_of(engine, limits=None, **options):
    given = {name: options.pop(name) for name in ("bound", "most") if name in options}
    return make_app(service_of(engine, **given), limits=limits or Limits(1000, 5), **options)
