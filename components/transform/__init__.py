"""Transform: examples and schema in, one graph and training-ready columns out."""
