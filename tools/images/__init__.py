"""Builds and pushes the images of `docker/`; see docker/README.md for the verbs."""
