"""Room for tasks on this machine: processor cores and memory, for the longest remaining chain first."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from pipelines.local.plan import Graph


class Slots:
    """Gives room to one task after the other.

    The task with the longest chain of tasks behind it comes first; of equal ones, the one that asked first.
    None overtakes one that waits for memory, so that a large task is not kept waiting by small ones.
    """

    def __init__(self, tasks: int, memory_bytes: int) -> None:
        """Have room for a number of tasks, and for what they say they need of memory."""
        self._tasks, self._memory = tasks, memory_bytes
        self._running = self._used = 0
        self._order = itertools.count()
        self._waiting: list[tuple[int, int, int, asyncio.Future[None]]] = []

    @asynccontextmanager
    async def taken(self, *, chain: int, memory_bytes: int = 0) -> AsyncGenerator[None, None]:
        """Hold room while in the block.

        Args:
            chain: How many tasks follow one another from this one to the end of the run.
            memory_bytes: What it needs, 0 when it does not say. What needs more than there is runs alone.
        """
        admitted = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (-chain, next(self._order), memory_bytes, admitted))
        self._admit()
        try:
            await admitted
            yield
        finally:
            if admitted.done() and not admitted.cancelled():
                self._running -= 1
                self._used -= memory_bytes
            else:
                admitted.cancel()
            self._admit()

    def _admit(self) -> None:
        while self._waiting and self._running < self._tasks:
            _, _, memory, admitted = self._waiting[0]
            if not admitted.done():
                if self._running and self._used + memory > self._memory:
                    return
                self._running += 1
                self._used += memory
                admitted.set_result(None)
            heapq.heappop(self._waiting)


def task_limit() -> int:
    """Return how many tasks are executed at once: the processor cores we may use, and at least 2."""
    return max(2, len(os.sched_getaffinity(0)))


def machine_memory() -> int:
    """Return the machine's memory in bytes, or that of the control group we are in when it is less."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        with open("/sys/fs/cgroup/memory.max", encoding="utf-8") as file:
            return min(total, int(file.read()))
    except (OSError, ValueError):
        return total


def remaining_chains(graph: Graph, behind: int = 0) -> dict[str, int]:
    """Count, for each task that executes something, the tasks from it to the end of the run.

    Args:
        graph: The tasks, each after those it depends on.
        behind: Tasks that follow the graph.

    Returns:
        The length of the longest chain, the task itself included, by label; those inside graphs too.
    """
    chains: dict[str, int] = {}
    follows: dict[str, int] = {}
    for name, task in reversed(list(graph.tasks.items())):
        after = follows.get(name, behind)
        body: Graph | None = getattr(task.work, "body", None)
        inner = {task.label: after + 1} if body is None else remaining_chains(body, after)
        chains.update(inner)
        longest = max(inner.values(), default=after)
        for producer in task.after:
            follows[producer] = max(follows.get(producer, behind), longest)
    return chains
