"""Writing: from a source to shards that are whole, sound, and described."""
