"""What the supervisor counts, and all metrics of its servers as one text, in the form of Prometheus."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from components.common.histograms import SECONDS
from pipelines.local.serving.revision import Revision

_PREFIX = "millrace_"  # what servers tell of their processes carries no name of a model


@dataclass(kw_only=True)
class Shared:
    """Requests that the shares sent to a revision.

    Attributes:
        requests: How many, failed ones included.
        errors: Those that ended with a status of 500 or more.
        seconds: How many took how long, between `SECONDS`.
    """

    requests: int = 0
    errors: int = 0
    seconds: list[int] = field(default_factory=lambda: [0] * (len(SECONDS) + 1))


class Counts:
    """Counts of one data port."""

    def __init__(self) -> None:
        """Count nothing yet."""
        self._answers = Counter[tuple[str, str, str]]()
        self._lost = Counter[tuple[str, str]]()
        self._shared: dict[tuple[str, str], Shared] = {}

    def count_answer(self, revision: Revision, status: int) -> None:
        """Count an answer that went out."""
        self._answers[revision.endpoint, revision.name, str(status)] += 1

    def count_shared(self, revision: Revision, status: int, seconds: float) -> None:
        """Count a request that was answered by whom the shares chose."""
        counted = self._shared.setdefault((revision.endpoint, revision.name), Shared())
        counted.requests += 1
        counted.errors += status >= 500
        counted.seconds[bisect_left(SECONDS, seconds)] += 1

    def shared(self, revision: Revision) -> Shared:
        """Return what the shares sent to a revision since this port was opened."""
        return self._shared.get((revision.endpoint, revision.name), Shared())

    def count_lost(self, revision: Revision) -> None:
        """Count a request that a server had in hand when it died."""
        self._lost[revision.endpoint, revision.name] += 1

    def exposition(self, revisions: Sequence[Revision]) -> str:
        """Return everything as text; `revisions` are those that are served."""
        keys = ("model", "revision")
        starts = {(each.endpoint, each.name): max(0, each.starts - 1) for each in revisions}
        lost = dict.fromkeys(starts, 0) | self._lost
        families = (
            _family("endpoint_requests_total", "Answers of the data port.", (*keys, "code"), self._answers),
            _family("requests_lost_total", "Requests in hand of a server that died.", keys, lost),
            _family("restarts_total", "Starts of a server after its first.", keys, starts),
        )
        return "".join(families)


def merge_metrics(texts: Iterable[str]) -> str:
    """Join expositions so that each family stands once; others' families are left out."""
    heads: dict[str, list[str]] = {}
    samples: dict[str, list[str]] = {}
    for text in texts:
        family = ""
        for line in text.split("\n"):  # the names of inputs may have line ends of Unicode
            if line.startswith("# HELP "):
                family = line.split(" ", 3)[2]
                heads.setdefault(family, [])
            if family.startswith(_PREFIX) and line:
                known = heads if line.startswith("#") else samples
                if known is samples or line not in heads[family]:
                    known.setdefault(family, []).append(line)
    lines = [line for family in sorted(heads) for line in (*heads[family], *samples.get(family, ()))]
    return "".join(f"{line}\n" for line in lines)


def _family(name: str, told: str, keys: Sequence[str], counts: dict[tuple[str, ...], int]) -> str:
    lines = [f"# HELP {_PREFIX}{name} {told}", f"# TYPE {_PREFIX}{name} counter"]
    for values, count in sorted(counts.items()):
        labels = ",".join(f'{key}="{value}"' for key, value in zip(keys, values, strict=True))
        lines.append(f"{_PREFIX}{name}{{{labels}}} {count}")
    return "".join(f"{line}\n" for line in lines)
