"""What a model file costs and what it lost, measured on every example of a split."""
