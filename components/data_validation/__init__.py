"""Data validation: is this batch fit to train on? Examples in; statistics, schema and a verdict out."""
