"""What all tasks of one run share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from pipelines.local.cache import Cache
from pipelines.local.content import Digests
from pipelines.local.environments import Environment
from pipelines.local.exchange import Outputs
from pipelines.local.finished import Finished
from pipelines.local.launch import ProcessGroup
from pipelines.local.lineage import Lineage
from pipelines.local.record import Progress
from pipelines.local.secrets.given import Given
from pipelines.local.slots import Slots
from pipelines.local.store import Store
from pipelines.local.warm.parents import Parents

Result = TypeVar("Result")


class LineageThread:
    """The run's lineage, in a thread of its own: its calls wait for a disk and for other runs."""

    def __init__(self, path: Path) -> None:
        """Prepare to write into the store at a path; it is opened by the first call."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="lineage")
        self._path = path
        self._lineage: Lineage | None = None

    async def call(self, method: str, *arguments: Any, **options: Any) -> Any:
        """Call a method of `Lineage`; once begun it is finished, even when the caller is cancelled."""
        work = partial(self._call, method, *arguments, **options)
        return await settle(asyncio.get_running_loop().run_in_executor(self._thread, work))

    def close(self) -> None:
        """Wait for the calls that were begun."""
        self._thread.shutdown()

    def _call(self, method: str, *arguments: Any, **options: Any) -> Any:
        if self._lineage is None:
            self._lineage = Lineage(Store(self._path))
        return getattr(self._lineage, method)(*arguments, **options)


@dataclass(frozen=True, kw_only=True)
class RunContext:
    """What all tasks of one run share.

    Attributes:
        run_id: The run.
        directory: Its folder, absolute.
        use_cache: Results of earlier runs may be taken.
        environments: Virtual environments by image.
        variables: Variables that every task gets.
        given: Secrets and config maps.
        names: What placeholders of the job stand for.
        progress: Takes the steps.
        lineage: Takes the executions and artifacts.
        cache: Results of earlier runs.
        finished: Results of this run, for when it is gone on with.
        slots: Room for tasks that are executed at once.
        waiters: One thread for each such task.
        parents: Warm parents to fork from.
        chains: Tasks from each one to the end of the run, by label.
        images: The image of each task, by label.
        digests: Content digests computed so far.
        processes: Running commands.
        settled: Labels of tasks that a parent need not wait for: their results were found.
        outputs: What tasks gave, by label and iterations of the loops around them.
    """

    run_id: str
    directory: Path
    use_cache: bool
    environments: Mapping[str, Environment]
    variables: Mapping[str, str]
    given: Given
    names: Mapping[str, str]
    progress: Progress
    lineage: LineageThread
    cache: Cache
    finished: Finished
    slots: Slots
    waiters: ThreadPoolExecutor
    parents: Parents
    chains: Mapping[str, int]
    images: Mapping[str, str]
    digests: Digests = field(default_factory=Digests)
    processes: set[ProcessGroup] = field(default_factory=set[ProcessGroup])
    settled: set[str] = field(default_factory=set[str])
    outputs: dict[tuple[str, tuple[int, ...]], Outputs] = field(
        default_factory=dict[tuple[str, tuple[int, ...]], Outputs]
    )

    def images_ahead(self) -> list[str]:
        """List the images of tasks that may yet be executed, those with the longest chain first."""
        ahead = sorted(set(self.images) - self.settled, key=lambda label: -self.chains.get(label, 0))
        return list(dict.fromkeys(self.images[label] for label in ahead))


async def settle(work: Awaitable[Result]) -> Result:
    """Finish a piece of work even when cancelled meanwhile; the cancellation comes after it."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if not task.done():
            await asyncio.wait({task})
        raise
