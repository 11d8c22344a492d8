"""The proven twin as the engine: NumPy alone."""

from __future__ import annotations

from pathlib import Path

from components.common.encoding import Values
from components.common.twin.program import read_program
from components.common.twin.run import Twin


class TwinEngine:
    """Runs the program of a twin."""

    def __init__(self, folder: Path) -> None:
        """Load `program.json` and `constants.npz`.

        Raises:
            BadInputError: They are missing or malformed, or of another format version.
        """
        self._twin = Twin(read_program(folder))

    def predict(self, columns: dict[str, Values]) -> dict[str, Values]:
        """Compute the outputs; see `Engine.predict`."""
        return self._twin.predict(columns)
