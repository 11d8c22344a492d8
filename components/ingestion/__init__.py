"""Ingestion: sources -> `snapshot` (which data this is) and `examples` (train, eval and test rows)."""
