"""From a model file to a `Predictor`: one loader for each runtime, and the checks before it."""
