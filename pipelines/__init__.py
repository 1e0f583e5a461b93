"""One file per finished job: run it (`python -m pipelines.digits`), or copy it and change it."""
