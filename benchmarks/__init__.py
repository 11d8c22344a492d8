"""Measures against peers and floors: `make benchmark [ONLY=name]`."""
