"""The warm parents of one run: which there are, when they start, and what is started without them."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from components.common.errors import UnavailableError
from pipelines.local.environments import Environment, declarations
from pipelines.local.launch import ProcessGroup
from pipelines.local.plan import Container
from pipelines.local.scratch import Scratch
from pipelines.local.secrets.masking import Mask
from pipelines.local.variables import task_variables
from pipelines.local.warm.client import Launcher, NotForkedError, Parent, WarmParent
from pipelines.local.warm.command import as_lightweight, is_lightweight


class Parents:
    """At most one parent for each environment and list of modules; images may share one.

    Attributes:
        scratch: Temporary folder of these processes and of the tasks.
    """

    def __init__(
        self,
        environments: Mapping[str, Environment],
        variables: Mapping[str, str],
        *,
        fresh: bool,
        notify: Callable[[str], None],
    ) -> None:
        """Start nothing yet.

        Args:
            environments: By image.
            variables: Variables of the run.
            fresh: Use no parents.
            notify: Is told, in the thread of the tasks, why a task is started fresh that need not be.
        """
        self._environments, self._variables = environments, variables
        self._fresh, self._notify = fresh, notify
        self._beginning: dict[Environment, Future[WarmParent | str]] = {}
        self._running: list[Parent] = []
        self._launching: Future[Launcher | str] | None = None
        self._told: set[str] = set()
        self.scratch = Scratch()
        self._lock, self._closed = threading.Lock(), False
        # What imports much gets at most half of the cores, so that tasks go on meanwhile; but two at least:
        # on two cores the task after next would wait for the second.
        heavy = max(2, len(os.sched_getaffinity(0)) // 2)
        self._heavy = ThreadPoolExecutor(heavy, thread_name_prefix="warming")
        self._light = ThreadPoolExecutor(1, thread_name_prefix="warming")

    def begin(self, images: Iterable[str]) -> None:
        """Start the parents of images in the background, in this order, as far as they import much."""
        for image in images:
            if not self._fresh and self._environments[image].imports:
                self._begin(self._environments[image])

    async def ready(self, container: Container, own: Mapping[str, str]) -> WarmParent | None:
        """Return the parent for a container once it has imported everything; None for a fresh start.

        Args:
            container: What is to be executed.
            own: Variables that the package sets for it.

        Raises:
            UnavailableError: No process can be started.
        """
        if self._launching is None:
            self._launching = self._light.submit(self._launch)
        launched = await asyncio.shield(asyncio.wrap_future(self._launching))
        if isinstance(launched, str):
            raise _not_started(launched)
        if self._fresh or own or not is_lightweight(container.command):
            return None
        beginning = self._begin(self._environments[container.image])
        found = await asyncio.shield(asyncio.wrap_future(beginning))
        if isinstance(found, WarmParent):
            return found
        self._tell(container.image, found)
        return None

    def start(
        self, parent: WarmParent | None, image: str, command: Sequence[str], *, cwd: Path, log: Path,
        environment: Mapping[str, str], mask: Mask,
    ) -> ProcessGroup:  # fmt: skip
        """Start a command: in a child of the parent if it may be, else fresh; see `Launcher.execute`.

        Raises:
            UnavailableError: No process can be started.
        """
        task = as_lightweight(command, environment)
        if parent is not None and task is not None and parent.serves(environment):
            try:
                return parent.fork(task, cwd=cwd, log=log, environment=environment, mask=mask)
            except NotForkedError as error:
                self._tell(image, str(error))
        if self._launching is None:
            raise RuntimeError("`ready` comes before `start`")
        try:
            launcher = self._launching.result()
            if isinstance(launcher, str):
                raise NotForkedError(launcher)
            return launcher.execute(command, cwd=cwd, log=log, environment=environment, mask=mask)
        except NotForkedError as error:
            raise _not_started(str(error)) from error

    def close(self) -> None:
        """End all parents, those that are still importing too."""
        with self._lock:
            self._closed = True
            running = list(self._running)
        for parent in running:
            parent.close()
        for threads in (self._heavy, self._light):
            threads.shutdown(cancel_futures=True)
        self.scratch.close()

    def _begin(self, environment: Environment) -> Future[WarmParent | str]:
        if environment not in self._beginning:
            threads = self._heavy if environment.imports else self._light
            self._beginning[environment] = threads.submit(self._warm, environment)
        return self._beginning[environment]

    def _warm(self, environment: Environment) -> WarmParent | str:
        """Start a parent and wait for it, in one thread: Linux ends it when that thread ends meanwhile."""
        modules = [*declarations()["everywhere"], *environment.imports]
        variables = task_variables(environment, self._variables, {}, "")
        try:
            with self._lock:
                if self._closed:
                    return "the run has ended"
                parent = WarmParent(variables, modules, self.scratch.folder)
                self._running.append(parent)
            parent.wait_ready()
        except NotForkedError as error:
            return str(error)
        return parent

    def _launch(self) -> Launcher | str:
        try:
            with self._lock:
                if self._closed:
                    return "the run has ended"
                launcher = Launcher(self.scratch.folder)
                self._running.append(launcher)
            launcher.wait_ready()
        except NotForkedError as error:  # told to who waits; nobody does when the run ends meanwhile
            return str(error)
        return launcher

    def _tell(self, image: str, reason: str) -> None:
        if image not in self._told:
            self._told.add(image)
            self._notify(f"tasks of {image} are started fresh, which takes longer: {reason}")


def _not_started(why: str) -> UnavailableError:
    return UnavailableError(
        f"tasks cannot be started: {why}", fix="free memory or processes, then run again"
    )
