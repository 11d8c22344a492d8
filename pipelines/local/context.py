"""What all tasks of one run share."""

from __future__ import annotations

import asyncio
import os
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
from pipelines.local.launch import Process
from pipelines.local.lineage import Lineage
from pipelines.local.record import Progress
from pipelines.local.store import Store

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
        progress: Takes the steps.
        lineage: Takes the executions and artifacts.
        cache: Results of earlier runs.
        slots: One for each task that may be executed at once.
        waiters: One thread for each such task.
        digests: Content digests computed so far.
        processes: Running commands.
        outputs: What tasks gave, by label and iterations of the loops around them.
    """

    run_id: str
    directory: Path
    use_cache: bool
    environments: Mapping[str, Environment]
    variables: Mapping[str, str]
    progress: Progress
    lineage: LineageThread
    cache: Cache
    slots: asyncio.Semaphore
    waiters: ThreadPoolExecutor
    digests: Digests = field(default_factory=Digests)
    processes: set[Process] = field(default_factory=set[Process])
    outputs: dict[tuple[str, tuple[int, ...]], Outputs] = field(
        default_factory=dict[tuple[str, tuple[int, ...]], Outputs]
    )


def task_limit() -> int:
    """Return how many tasks are executed at once: the processor cores we may use, and at least 2."""
    return max(2, len(os.sched_getaffinity(0)))


async def settle(work: Awaitable[Result]) -> Result:
    """Finish a piece of work even when cancelled meanwhile; the cancellation comes after it."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if not task.done():
            await asyncio.wait({task})
        raise
