"""The twin of a served model: a program of array operations, computed without TensorFlow (docs/twin.md)."""
