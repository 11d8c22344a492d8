"""Deriving a twin (docs/twin.md): from the SavedModel's frozen graph to a program on the closed list."""
