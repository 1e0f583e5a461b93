"""Reading: from shards that are checked to batches in a known order."""
