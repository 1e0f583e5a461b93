"""Sources: what there is to read, by name; each loads an example when its turn comes."""
