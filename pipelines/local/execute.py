"""One task from its inputs to its outputs: found in the cache, or executed."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

from components.common.errors import ComponentError
from pipelines.local.cache import CachedResult, cache_key
from pipelines.local.command import compose_command
from pipelines.local.context import RunContext, settle
from pipelines.local.environments import Environment
from pipelines.local.exchange import Inputs, Outputs, collect_outputs, executor_input
from pipelines.local.failure import Failure, failure_of, wait_before
from pipelines.local.labels import iteration_label
from pipelines.local.launch import ProcessGroup, Usage, end_in_time
from pipelines.local.plan import Container, Task
from pipelines.local.variables import task_variables
from pipelines.local.warm.client import WarmParent

GRACE_SECONDS = 10.0


class TaskExecution:
    """One task of one run, in one iteration of the loops around it."""

    def __init__(
        self, run: RunContext, task: Task, container: Container, parent: int, iteration: tuple[int, ...],
        names: Mapping[str, str], *, lasting: bool = True,
    ) -> None:  # fmt: skip
        """Prepare a task whose graph is recorded as `parent`; `names` stand for job placeholders.

        `lasting`: when it ends well and the run is gone on with, it is not executed again.
        """
        self._run, self._task, self._container = run, task, container
        self._parent, self._iteration, self._names, self._lasting = parent, iteration, names, lasting
        self._label = iteration_label(task.label, iteration)
        self._own = run.given.variables(container)
        self._began = time.monotonic()
        self._execution: int | None = None
        self._usage: Usage | None = None
        self._ended = self._timed_out = False

    async def run(self, inputs: Inputs) -> Outputs | None:
        """Execute the task or take its result from the cache.

        Returns:
            What it gave; None when it failed.
        """
        try:
            self._run.progress.step(self._label, "queued")
            return await self._find_or_execute(inputs)
        except asyncio.CancelledError:
            if not self._ended:
                await self._end("cancelled", "CANCELED")
            raise

    async def fail(self, error: ComponentError) -> None:
        """Record that the task cannot be started."""
        await self._begin(Inputs(parameters={}, artifacts={}), "")
        await settle(self._end("failed", "FAILED", message=str(error), exit_code=error.exit_code))

    async def _find_or_execute(self, inputs: Inputs) -> Outputs | None:
        try:
            key = await asyncio.to_thread(self._check_and_key, inputs)
        except ComponentError as error:
            await self.fail(error)
            return None
        why = None
        before = self._run.finished.find(self._label, inputs)
        cached = self._run.cache.find(key) if self._task.caching and self._run.use_cache else None
        for hit, take in ((before, self._take_again), (cached, self._reuse)):
            why = why if hit is None else await asyncio.to_thread(self._change, hit)
            if hit is not None and why is None:
                self._run.settled.add(self._task.label)
                return await settle(take(hit, inputs, key))
        if self._task.caching:  # then what follows is likely to be executed, too
            self._run.parents.begin(self._run.images_ahead())
        return await self._execute_or_retry(inputs, key, why)

    async def _execute_or_retry(self, inputs: Inputs, key: str, why: str | None) -> Outputs | None:
        first = self._run.progress.attempts(self._label) + 1
        for attempt in count(first):
            parent = await self._run.parents.ready(self._container, self._own)
            room = self._run.slots.taken(
                chain=self._run.chains.get(self._task.label, 1), memory_bytes=self._container.memory_bytes
            )
            async with room:
                self._run.progress.step(self._label, "started", message=why)
                if attempt == first:
                    self._began = time.monotonic()
                    await self._begin(inputs, key)
                await self._run.progress.saved()
                ended = await self._execute(inputs, key, parent, attempt)
            if not isinstance(ended, Failure):
                return ended
            wait = wait_before(self._task.retry, attempt, time.monotonic() - self._began)
            if not ended.again or wait is None:
                code = ended.exit_code
                await settle(self._end("failed", "FAILED", message=ended.message, exit_code=code))
                return None
            why = f"again after: {ended.message}"
            await asyncio.sleep(wait)
            shutil.rmtree(self._work, ignore_errors=True)
            if self._log.exists():
                self._log.rename(self._log.with_suffix(f".attempt-{attempt}.log"))
        return None

    def _check_and_key(self, inputs: Inputs) -> str:
        for port, many in inputs.artifact_lists().items():
            for found in many:
                self._run.digests.require_unchanged(found, f"input `{port}` of task `{self._label}`")
        given = self._run.given.fingerprint(self._container, self._run.cache.folder)
        return cache_key(self._task, self._container, inputs, self._environment, given)

    def _change(self, hit: CachedResult) -> str | None:
        change = self._run.digests.first_change(hit.outputs().artifacts.values())
        return None if change is None else f"not from the cache: {change}"

    async def _take_again(self, hit: CachedResult, inputs: Inputs, key: str) -> Outputs:
        """Take what the task gave before the run was gone on with."""
        index = self._iteration[-1] if self._iteration else None
        outputs = hit.outputs()
        ids = await self._run.lineage.call("ended_well", self._task, self._parent, index, outputs)
        if ids is None:  # its process was ended before it recorded this
            ids = await self._record_again(hit, inputs, key)
        outputs = outputs.with_ids(ids)
        if self._task.caching and self._gave(hit) and hit.key == key and self._run.cache.find(key) is None:
            self._run.cache.store(self._result(hit.execution, outputs, key))
        self._keep(outputs)
        self._ended = True
        self._run.progress.kept(self._label, outputs)
        return outputs

    def _gave(self, hit: CachedResult) -> bool:
        return (hit.run_id, hit.task) == (self._run.run_id, self._label)

    async def _record_again(self, hit: CachedResult, inputs: Inputs, key: str) -> dict[str, int]:
        await self._begin(inputs, key)
        execution, self._execution = self._execution, None
        if self._gave(hit):
            return await self._run.lineage.call("end", execution, "COMPLETE", hit.outputs())
        return await self._run.lineage.call("end_cached", execution, hit.execution, hit.outputs())

    async def _reuse(self, hit: CachedResult, inputs: Inputs, key: str) -> Outputs:
        await self._begin(inputs, key)
        await self._finish(inputs, hit)
        ids = await self._run.lineage.call("end_cached", self._execution, hit.execution, hit.outputs())
        outputs = hit.outputs().with_ids(ids)
        self._execution = None
        self._keep(outputs)
        await self._end("cached", None, outputs=outputs, message=f"from run {hit.run_id}")
        return outputs

    async def _begin(self, inputs: Inputs, key: str) -> None:
        self._execution = await self._run.lineage.call(
            "begin_task", self._task, self._parent, inputs, image=self._container.image, fingerprint=key,
            index=self._iteration[-1] if self._iteration else None,
        )  # fmt: skip

    async def _execute(
        self, inputs: Inputs, key: str, parent: WarmParent | None, attempt: int
    ) -> Outputs | Failure:
        folder = self._run.directory / "artifacts" / self._label / str(attempt)
        exchange = self._work / "exchange"
        try:
            given = await asyncio.to_thread(executor_input, self._task, inputs, exchange, folder)
            usage = await self._launch(given, parent)
        except ComponentError as error:
            return Failure(message=str(error), exit_code=error.exit_code, again=False)
        if usage.exit_code != 0 or self._timed_out:
            timeout = self._container.timeout if self._timed_out else None
            return failure_of(self._log, usage.exit_code, timeout, image=self._container.image)
        return await settle(self._accept(given, inputs, key))

    async def _accept(self, given: dict[str, Any], inputs: Inputs, key: str) -> Outputs | Failure:
        try:
            outputs = await asyncio.to_thread(collect_outputs, self._task, given, self._run.digests)
            self._run.given.require_absent(self._task, outputs)
        except (ComponentError, OSError, ValueError) as error:  # it ended well and left a mess: a bug
            return Failure(message=self._run.given.mask.text(str(error)), exit_code=1)
        execution = self._execution or 0
        await self._finish(inputs, self._result(execution, outputs, key))
        self._execution = None
        ids = await self._run.lineage.call("end", execution, "COMPLETE", outputs)
        outputs = outputs.with_ids(ids)
        if self._task.caching:
            await asyncio.to_thread(self._run.cache.store, self._result(execution, outputs, key))
        self._keep(outputs)
        shutil.rmtree(self._work, ignore_errors=True)
        await self._end("succeeded", None, outputs=outputs)
        return outputs

    def _result(self, execution: int, outputs: Outputs, key: str) -> CachedResult:
        run = self._run.run_id
        return CachedResult.of(outputs, run_id=run, task=self._label, execution=execution, key=key)

    async def _finish(self, inputs: Inputs, result: CachedResult) -> None:
        """Keep what the task gave, ahead of ML Metadata; see `Finished`."""
        if self._lasting:
            await asyncio.to_thread(self._run.finished.store, self._label, inputs, result)

    def _keep(self, outputs: Outputs) -> None:
        self._run.outputs[self._task.label, self._iteration] = outputs

    async def _end(
        self, kind: Any, state: str | None, *, outputs: Outputs | None = None, message: str | None = None,
        exit_code: int | None = None,
    ) -> None:  # fmt: skip
        self._ended = True
        if self._execution is not None and state is not None:
            await self._run.lineage.call("end", self._execution, state)
        self._run.progress.step(
            self._label, kind, seconds=time.monotonic() - self._began,
            verdict=outputs.verdict if outputs else None, message=message, exit_code=exit_code,
            usage=self._usage, metrics=outputs.metrics if outputs else None,
        )  # fmt: skip

    async def _launch(self, given: dict[str, Any], parent: WarmParent | None) -> Usage:
        # Not in the run's folder: sockets are made in it, and their paths may have 107 bytes at most.
        temporary = tempfile.mkdtemp(dir=self._run.parents.scratch.folder)
        try:
            where = f"command of task `{self._label}`"
            process = self._run.parents.start(
                parent, self._container.image,
                compose_command(self._container.command, given, where, self._names),
                cwd=self._work, log=self._log, environment=self._variables(temporary),
                mask=self._run.given.mask,
            )  # fmt: skip
            self._usage = await self._watch(process)
            return self._usage
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    async def _watch(self, process: ProcessGroup) -> Usage:
        self._run.processes.add(process)
        ending = asyncio.get_running_loop().run_in_executor(self._run.waiters, process.wait)
        try:
            await asyncio.wait({ending}, timeout=self._container.timeout)
            self._timed_out = not ending.done()
            if self._timed_out:
                await end_in_time(process, ending, GRACE_SECONDS)
            return await asyncio.shield(ending)
        except asyncio.CancelledError:
            await end_in_time(process, ending, GRACE_SECONDS)
            self._usage = await ending
            raise
        finally:
            self._run.processes.discard(process)

    def _variables(self, temporary: str) -> dict[str, str]:
        return task_variables(self._environment, self._run.variables, self._own, temporary)

    @property
    def _environment(self) -> Environment:
        return self._run.environments[self._container.image]

    @property
    def _work(self) -> Path:
        return self._run.directory / "work" / self._label

    @property
    def _log(self) -> Path:
        return self._run.directory / "logs" / f"{self._label}.log"
