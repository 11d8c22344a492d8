"""Checkpoints: the whole state of a training, as files that name their own content."""

from __future__ import annotations

import hashlib
import io
import json
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, NamedTuple

import fsspec
import numpy as np
from fsspec.implementations.local import LocalFileSystem
from numpy.typing import NDArray

from components.common.errors import UnavailableError

_KEPT = 2  # the newest may be cut short by a kill; then the one before it is taken
_FACTS = "facts"


class State(NamedTuple):
    """What a training needs to go on as if nothing had happened.

    Attributes:
        step: Steps done.
        arrays: Values of variables, by name.
        facts: What is no array: plain JSON.
    """

    step: int
    arrays: dict[str, NDArray[Any]]
    facts: dict[str, Any]


class Checkpoints:
    """The checkpoints of one training: a folder of `<step>-<sha256>.npz`, here or in an object store."""

    def __init__(self, uri: str, tell: Callable[[str], object] = sys.stderr.write) -> None:
        """Name the folder; it is made when the first one is saved.

        Args:
            uri: A path, or an address that fsspec knows.
            tell: Takes warnings, one line each.
        """
        self._store, self._folder = fsspec.url_to_fs(uri)
        self._tell = tell

    def save(self, state: State) -> None:
        """Write a checkpoint, and remove all but the newest ones."""
        stream = io.BytesIO()
        facts = np.frombuffer(json.dumps(state.facts).encode(), np.uint8)
        arrays: dict[str, Any] = {_FACTS: facts, **state.arrays}
        np.savez(stream, **arrays)
        content = stream.getvalue()
        name = f"{state.step:012d}-{hashlib.sha256(content).hexdigest()}.npz"
        with self._answering():
            if isinstance(
                self._store, LocalFileSystem
            ):  # elsewhere it would make a bucket of a typing error
                self._store.makedirs(self._folder, exist_ok=True)
            self._store.pipe_file(f"{self._folder}/{name}", content)
            for old in self._names()[_KEPT:]:
                self._store.rm_file(f"{self._folder}/{old}")

    def newest(self) -> State | None:
        """Return the newest state that is whole; damaged ones are told of and passed over."""
        with self._answering():
            for name in self._names():
                content = self._store.cat_file(f"{self._folder}/{name}")
                step, _, digest = name.removesuffix(".npz").partition("-")
                if hashlib.sha256(content).hexdigest() == digest:
                    return _state(int(step), content)
                self._tell(f"warning: checkpoint {name[:20]}… is damaged and is passed over\n")
        return None

    def remove(self) -> None:
        """Remove all of them; for a training that has ended."""
        with self._answering():
            if self._store.exists(self._folder):
                self._store.rm(self._folder, recursive=True)

    def _names(self) -> list[str]:
        if not self._store.exists(self._folder):
            return []
        paths = self._store.ls(self._folder, detail=False, refresh=True)
        names = [str(path).rsplit("/", 1)[-1] for path in paths]
        return sorted((name for name in names if name.endswith(".npz")), reverse=True)

    @contextmanager
    def _answering(self) -> Generator[None]:
        try:
            yield
        except Exception as error:  # each of fsspec's stores raises kinds of its own, which share no parent
            what = f"checkpoints cannot be kept: {type(error).__name__}: {error}"
            raise UnavailableError(
                what, where=self._folder, fix="look at `training.checkpoint_dir`"
            ) from error


def _state(step: int, content: bytes) -> State:
    with np.load(io.BytesIO(content), allow_pickle=False) as found:
        arrays = {name: found[name] for name in found.files}
    return State(step, arrays, json.loads(arrays.pop(_FACTS).tobytes()))
