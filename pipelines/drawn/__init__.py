"""Small data sets that the pipelines draw themselves, where no real data are given."""
