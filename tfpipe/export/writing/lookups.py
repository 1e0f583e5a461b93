"""Vocabularies in SavedModels: Keras' archive finds the variables of a function, and no tables.

Example:

    track_lookups(archive, model)
    archive.write_out(folder)
"""

from typing import Any

from tfpipe.backend import keras


def track_lookups(archive: Any, model: keras.Model) -> None:
    """Lets an archive know the layers whose tables go into it: StringLookup, IntegerLookup."""
    for layer in model._flatten_layers():
        # A TextVectorization is never built; the StringLookup in it, which has the table, is.
        if hasattr(layer, "save_assets") and layer.built:
            archive.track(layer)
