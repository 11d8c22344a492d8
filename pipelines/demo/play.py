"""What `millrace demo` does: plays the closed loop, and writes its page after every step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from components.common.errors import BadInputError, ComponentError, RefusedError, UnavailableError
from pipelines.demo.batches import QUERY, artifact, mean_prediction, share_late, write_batches
from pipelines.demo.story import Month, Step, Story
from pipelines.execution import run_request
from pipelines.local.result import RunResult
from pipelines.local.serving.client import Supervisor, find_supervisor
from pipelines.request import Request

_NAME = "flights"
_WINDOW = 3  # months that a new model learns from
_COMMON: Mapping[str, Any] = {"label": "late", "query": QUERY, "model_name": _NAME}
# A month has a third of the rows of what a later model learnt from; that is no loss of data.
_CHECK: Mapping[str, Any] = {"max_drift": 0.05, "min_rows_ratio": 0.2}
_TRAIN: Mapping[str, Any] = {
    "trials": 1, "search_space": {"epochs": 4, "batch_size": 256, "units": 64}, "slices": ["origin"],
    # that the data have changed is why a model is trained, and no reason not to
    "validation": {"severities": {"drift": "warning"}, "min_rows_ratio": 0.2},
    "evaluation": {"importance_repeats": 1, "intended_use": "To show what Millrace does."},
}  # fmt: skip
_SABOTAGE: Mapping[str, Any] = {**_TRAIN["search_space"], "learning_rate": 1e-7, "epochs": 1}


class Demo:
    """One play of the loop under a root of its own.

    Attributes:
        story: What happened so far.
    """

    def __init__(self, root: Path, *, months: int, rows: int, say: Callable[[str], None]) -> None:
        """Prepare.

        Args:
            root: Folder of runs, which should be new.
            months: How many, from January on; in [2, 12].
            rows: About how many of each month; in [4000, 30000], since fewer judge no model.
            say: Is told each step.

        Raises:
            BadInputError: A number is out of range.
        """
        for name, value, low, high in (("months", months, 2, 12), ("rows", rows, 4_000, 30_000)):
            if not low <= value <= high:
                raise BadInputError(f"must be in [{low}, {high}]", where=f"option --{name}", value=value)
        self._root, self._rows, self._say = root, rows, say
        self._examples = root  # of the newest batch
        self.story = Story(planned=months)

    def play(self) -> None:
        """Play it to its end; the server is ended and the page written however it ends.

        Raises:
            ComponentError: A run failed for another reason than a gate.
            KeyboardInterrupt: It was cancelled.
        """
        self.story.ended = "failed"
        try:
            self._play()
            self.story.ended = "done"
        except KeyboardInterrupt:
            self.story.ended = "cancelled"
            raise
        finally:
            with suppress(ComponentError):  # how it ended matters more
                if supervisor := find_supervisor(self._root):
                    supervisor.stop()
            self.story.write(self._root)

    def _play(self) -> None:
        files = write_batches(self._root / "batches", self._rows)
        for number in range(1, self.story.planned + 1):
            self._month(number, files)
            self._show()
        self._sabotage(files)

    def _show(self) -> None:
        ended, self.story.ended = self.story.ended, None
        self.story.write(self._root)
        self.story.ended = ended

    def _month(self, number: int, files: Mapping[int, Path]) -> None:
        if number == 1:
            self._say("January: train and serve")
            result = self._train(number, files)
            _require(result)
            self._examples = artifact(result.outputs, "ingest", "examples")
            rows, late = share_late(self._examples)
            month = Month(number=number, rows=rows, late=late, trained=Step.of(result))
        else:
            month = self._arrive(number, files[number])
            if month.checked is not None and month.checked.state == "REFUSED":
                self._say(f"  refused: {month.checked.reason}")
                self._say("  train on the last months")
                month.trained = Step.of(self._train(number, files))
                self._say(f"  {month.trained.state.lower()}")
        month.revision = str(self._serving()["revision"])
        self.story.months.append(month)

    def _arrive(self, number: int, file: Path) -> Month:
        """Let the serving model answer a batch, and hold the batch against the data that it knows."""
        self._say(f"month {number}: a batch arrives")
        parameters = {**_COMMON, "sources": {"flights": str(file)}, "validation": dict(_CHECK)}
        result = self._run("screening", parameters)
        if result.state != "REFUSED":
            _require(result)
        self._examples = artifact(result.outputs, "ingest", "examples")
        rows, late = share_late(self._examples)
        out = self._root / "predictions" / f"{number:02d}"
        told = mean_prediction(self._supervisor().url, _NAME, self._examples, out)
        self._say(f"  {late:.1%} were late, the model foretold {told:.1%}; the batch is {_word(result)}")
        return Month(number=number, rows=rows, late=late, predicted=told, checked=Step.of(result))

    def _train(self, number: int, files: Mapping[int, Path], **changes: Any) -> RunResult:
        window = [str(files[month]) for month in range(max(1, number - _WINDOW + 1), number + 1)]
        return self._run("training", {**_COMMON, "sources": {"flights": window}, **_TRAIN, **changes})

    def _sabotage(self, files: Mapping[int, Path]) -> None:
        self._say("a sabotaged model: the learning rate is a ten-millionth")
        last = self.story.months[-1].number
        before = (self._serving()["revision"], self._answers())
        result = self._train(last, files, search_space=dict(_SABOTAGE))
        self.story.sabotaged = Step.of(result)
        if result.state == "SUCCEEDED":
            raise RuntimeError("the sabotaged model was released")
        if result.state != "REFUSED":
            _require(result)
        self.story.kept = before == (self._serving()["revision"], self._answers())
        self._say(f"  refused: {self.story.sabotaged.reason}")
        self._say(f"  the endpoint {'answers as before' if self.story.kept else 'CHANGED'}")

    def _answers(self) -> float:
        """Return the mean answer of the serving model to the newest batch, to the last digit."""
        out = self._root / "predictions" / "again"
        return mean_prediction(self._supervisor().url, _NAME, self._examples, out)

    def _run(self, pipeline: str, parameters: Mapping[str, Any]) -> RunResult:
        result = run_request(
            Request(pipeline=pipeline, parameters=parameters, root=self._root), lambda event: None
        )
        if result.exit_code == 130:
            raise KeyboardInterrupt
        return result

    def _supervisor(self) -> Supervisor:
        found = find_supervisor(self._root)
        if found is None:
            raise UnavailableError("the demo's server has ended", where=self._root, fix="start it again")
        return found

    def _serving(self) -> dict[str, Any]:
        return next(one for one in self._supervisor().endpoints() if one["name"] == _NAME)


def _word(result: RunResult) -> str:
    return "clean" if result.state == "SUCCEEDED" else "refused"


def _require(result: RunResult) -> None:
    """Raise what a run ended with, when it did not succeed."""
    kinds: Mapping[int, type[ComponentError]] = {3: RefusedError, 4: UnavailableError}
    if result.state != "SUCCEEDED":
        kind = kinds.get(result.exit_code, BadInputError)
        raise kind(str(result.error), fix=f"see {result.directory / 'report.html'}")
