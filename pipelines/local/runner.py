"""Runs a compiled package on this machine: the one function that others call."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from components.common.config import require_known
from components.common.errors import BadInputError, ComponentError
from components.common.storage import not_writable
from pipelines.local.beginning import job_names, new_record
from pipelines.local.cache import Cache, digests_of_rooms
from pipelines.local.claim import Claim
from pipelines.local.context import LineageThread, RunContext
from pipelines.local.environments import Environment, find_environments
from pipelines.local.events import Event, Notice, PassedOver, RunFinished, RunStarted, RunState
from pipelines.local.finished import Finished
from pipelines.local.outputs import find_endpoint, present_outputs, present_values
from pipelines.local.plan import Plan
from pipelines.local.reading import read_package
from pipelines.local.record import Progress
from pipelines.local.result import RunResult
from pipelines.local.resume import Unfinished
from pipelines.local.schedule import Schedule, Scope
from pipelines.local.secrets.given import Given, find_given
from pipelines.local.slots import Slots, machine_memory, remaining_chains, task_limit
from pipelines.local.store import STORE_NAME
from pipelines.local.values import convert
from pipelines.local.walks import container_tasks, leaf_tasks
from pipelines.local.warm.parents import Parents


def run_package(
    package: Path,
    parameters: Mapping[str, Any],
    *,
    root: Path = Path("runs"),
    use_cache: bool = True,
    environment: Mapping[str, str] | None = None,
    on_event: Callable[[Event], None] = lambda event: None,
    images: Mapping[str, Path] | None = None,
    secrets: Mapping[str, Path] | None = None,
    config_maps: Mapping[str, Path] | None = None,
    fresh: bool = False,
    unfinished: Unfinished | None = None,
) -> RunResult:
    """Run a compiled package on this machine.

    SIGINT, SIGTERM or SIGHUP end all tasks and the run; a second one ends tasks that do not stop at once.
    Signals are taken only when called from the main thread.

    Args:
        package: What `kfp.compiler` wrote.
        parameters: Parameters of the pipeline; None is unset.
        root: Folder of runs, cache and lineage; made when missing.
        use_cache: Take results of equal tasks of earlier runs. New results are kept in any case.
        environment: Variables for all tasks.
        on_event: Is told each step, in the calling thread.
        images: Virtual environments for images other than ours.
        secrets: File or folder of each secret, by name.
        config_maps: The same of config maps.
        fresh: Start every task as a process of its own, none forked from a warm parent.
        unfinished: A run to go on with; package and parameters are then those that it has.

    Returns:
        How it ended, also when it failed.

    Raises:
        BadInputError: Before anything ran: the package is refused, a parameter is unknown, missing or of
            another type, the environment of an image is missing, or a secret is not given.
    """
    plan = read_package(package)
    arguments = resolve_parameters(plan, parameters)
    tasks = list(container_tasks(plan.graph))
    given = find_given(tasks, secrets or {}, config_maps or {})
    containers = [container for _, container in tasks]
    environments = find_environments([container.image for container in containers], images or {})
    root = root.absolute()
    code = digests_of_rooms(containers)
    locks = {image: found.digest for image, found in environments.items()}
    notices: list[Notice] = [PassedOver(message=message) for message in plan.notices]
    if unfinished is None:
        record, claim = new_record(package, plan, root), None
    else:
        record, claim = unfinished.clear(), unfinished.claim
        notices = [*(Notice(message=message) for message in unfinished.changes(code, locks)), *notices]
    record.parameters, record.code, record.environments = arguments, code, locks
    progress = Progress(record, on_event, claim or Claim(root, Path(record.directory)))
    run = _Run(plan, notices, progress, root, use_cache, environments, environment or {}, given, fresh)
    return asyncio.run(run.run())


def resolve_parameters(plan: Plan, given: Mapping[str, Any]) -> dict[str, Any]:
    """Check the parameters of a run and fill in defaults.

    Args:
        plan: The pipeline.
        given: What the user set; None is unset.

    Returns:
        A value for each parameter that has one.

    Raises:
        BadInputError: One is unknown (the nearest is suggested), missing, or of another type.
    """
    require_known(given, plan.inputs, where=f"parameters of pipeline `{plan.pipeline}`")
    found: dict[str, Any] = {}
    for name, spec in plan.inputs.items():
        value = spec.default if given.get(name) is None else given[name]
        if value is not None:
            found[name] = convert(value, spec.type, f"parameter `{name}`")
        elif not spec.optional:
            what, where = f"required parameter `{name}` is missing", f"pipeline `{plan.pipeline}`"
            raise BadInputError(what, where=where, fix="give it a value")
    return found


class _Run:
    def __init__(
        self, plan: Plan, notices: Sequence[Notice], progress: Progress, root: Path, use_cache: bool,
        environments: Mapping[str, Environment], variables: Mapping[str, str], given: Given, fresh: bool,
    ) -> None:  # fmt: skip
        self._plan, self._notices, self._progress = plan, notices, progress
        self._interrupted: str | None = None
        self._context = RunContext(
            run_id=progress.record.run_id, directory=Path(progress.record.directory), use_cache=use_cache,
            environments=environments, variables=variables, given=given,
            names=job_names(plan, progress.record), progress=progress,
            lineage=LineageThread(root / STORE_NAME), cache=Cache(root / "cache"),
            finished=Finished(Path(progress.record.directory)),
            slots=Slots(task_limit(), machine_memory()), waiters=ThreadPoolExecutor(task_limit()),
            parents=Parents(environments, variables, fresh=fresh, notify=self._notice),
            chains=remaining_chains(plan.graph),
            images={task.label: container.image for task, container in container_tasks(plan.graph)},
        )  # fmt: skip

    async def run(self) -> RunResult:
        record = self._progress.record
        with self._signals():
            self._progress.emit(
                RunStarted(
                    run_id=record.run_id, pipeline=record.pipeline, directory=self._context.directory,
                    tasks=tuple(task.label for task in leaf_tasks(self._plan.graph)),
                )
            )  # fmt: skip
            for notice in self._notices:
                self._progress.emit(notice)
            error = self._named(await self._execute())
            state, exit_code, reason = self._outcome(error)
            try:
                self._finish(state, reason)
            except ComponentError as second:  # a record that cannot be completed reads as killed
                raise (error or second) from second
        if error is not None and not isinstance(error, ComponentError):
            raise error
        return RunResult.of(record, exit_code)

    def _named(self, error: BaseException | None) -> BaseException | None:
        known = not_writable(error, self._context.directory) if isinstance(error, OSError) else None
        return known or error

    def _notice(self, message: str) -> None:
        self._progress.emit(Notice(message=message))

    async def _execute(self) -> BaseException | None:
        """Execute the graph; returns what went wrong in the runner itself, not in a task."""
        try:
            await self._execute_root()
        except asyncio.CancelledError:
            if self._interrupted is None:
                raise
        except BaseExceptionGroup as group:
            return _first_error(group)
        except (ComponentError, OSError) as error:
            return error
        finally:
            self._context.lineage.close()
            self._context.waiters.shutdown()
            self._context.parents.close()
        return None

    async def _execute_root(self) -> None:
        record, schedule = self._progress.record, Schedule(self._context)
        if not self._context.use_cache:
            self._context.parents.begin(self._context.images_ahead())
        root = await self._context.lineage.call(
            "begin_run", record.pipeline, record.run_id, self._context.directory, record.parameters
        )
        scope = Scope(values=record.parameters, parent=root)
        outcome = await schedule.recorded(root, schedule.run_graph(self._plan.graph, scope))
        record.returned = present_values(outcome.values)

    def _outcome(self, error: BaseException | None) -> tuple[RunState, int, str | None]:
        if error is not None:
            code = error.exit_code if isinstance(error, ComponentError) else 1
            return "FAILED", code, str(error) or type(error).__name__
        if self._interrupted is not None:
            return "CANCELLED", 130, f"cancelled by {self._interrupted}"
        failure = self._progress.failure
        if failure is None:
            return "SUCCEEDED", 0, None
        reason = f"{failure.task}: {failure.message}"
        return ("REFUSED" if failure.exit_code == 3 else "FAILED"), failure.exit_code, reason

    def _finish(self, state: RunState, reason: str | None) -> None:
        record = self._progress.record
        record.outputs = present_outputs(self._plan.graph, self._context.outputs)
        record.endpoint = find_endpoint(self._context.outputs.values())
        with suppress(OSError):  # what failed tasks left in their folders stays
            (self._context.directory / "work").rmdir()
        self._progress.finish(state, reason)
        self._progress.emit(RunFinished(state=state, seconds=record.seconds, error=reason))

    @contextmanager
    def _signals(self) -> Generator[None, None, None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop, main = asyncio.get_running_loop(), asyncio.current_task()
        taken = [n for n in _ENDING if signal.getsignal(n) is not signal.SIG_IGN]
        before = {number: signal.getsignal(number) for number in taken}
        for number in taken:
            loop.add_signal_handler(number, self._interrupt, number, main)
        try:
            yield
        finally:
            for number, handler in before.items():
                loop.remove_signal_handler(number)
                signal.signal(number, handler)

    def _interrupt(self, number: signal.Signals, main: asyncio.Task[Any] | None) -> None:
        if self._interrupted is None and main is not None:
            self._interrupted = number.name
            self._progress.emit(Notice(message=f"{number.name}: tasks get ten seconds; a second one, none"))
            main.cancel()
            return
        for process in list(self._context.processes):
            process.kill()


_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _first_error(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return an error of ours where there is one, else the first error."""
    leaves: list[BaseException] = []
    for error in group.exceptions:
        leaves.append(_first_error(error) if isinstance(error, BaseExceptionGroup) else error)
    return next((error for error in leaves if isinstance(error, ComponentError)), leaves[0])
