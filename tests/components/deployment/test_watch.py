"""When a step is looked at and how it ends, with counts that a target of this test gives."""

from dataclasses import replace

import pytest

from components.common.errors import BadInputError, RefusedError, UnavailableError
from components.deployment import watch
from components.deployment.config import DeployConfig
from components.deployment.tally import Histogram, Tally

CONFIG = DeployConfig(steps=(50, 100), interval_seconds=10, deadline_seconds=30, min_requests=100)


def counted(requests, *, errors=0, output="p/late"):
    """Requests that are all as quick, and are answered one way or the other by turns."""
    alike = Histogram(bounds=(0.5,), counts=(requests, 0))
    by_turns = Histogram(bounds=(0.5,), counts=(requests - requests // 2, requests // 2))
    return Tally(requests=requests, errors=errors, seconds=alike, predictions={output: by_turns})


class Counting:
    """Counts so many requests a second of each revision, and a share of errors of the new one."""

    def __init__(self, clock, *, new, old=100, failing=0.0):
        self.clock, self.new, self.old, self.failing = clock, new, old, failing

    def tally(self, name):
        assert name == "m"
        passed = 500 + self.clock.now  # much was counted before
        new = int(self.new * passed)
        errors = int(self.new * self.failing * self.clock.now)
        new, old = counted(new, errors=errors), counted(int(self.old * passed))
        return {"new": {"n": new}, "old": {"o": old}}


@pytest.fixture
def clock(monkeypatch):
    """Time that passes only by sleeping."""

    class Clock:
        now = 0.0

        def monotonic(self):
            return self.now

        def sleep(self, seconds):
            self.now += seconds

    made = Clock()
    monkeypatch.setattr(watch, "time", made)
    return made


def watched(target, check=lambda: None, config=CONFIG):
    return watch.watch_step(target, "m", "new", "old", config=config, check=check)


def test_step_passes_at_the_end_of_its_interval(clock):
    found = watched(Counting(clock, new=50))
    assert (found.verdict, found.reasons) == ("pass", ())
    assert clock.now == 10
    assert found.requests == (500, 1000)


def test_step_waits_for_the_fewest_requests_of_both(clock):
    assert watched(Counting(clock, new=50, old=5)).verdict == "pass"
    assert clock.now == 20


def test_too_little_traffic_is_inconclusive_at_the_deadline(clock):
    found = watched(Counting(clock, new=1))
    assert found.verdict == "inconclusive"
    assert "40 requests of the new one and 4050 of the old one in 40 s are too few" in found.reasons[0]
    assert 40 < clock.now < 41


def test_no_traffic_is_inconclusive_and_never_passes(clock):
    assert watched(Counting(clock, new=0, old=0)).verdict == "inconclusive"


class Leaving(Counting):
    """Of the old one a slow server with a long life leaves after 4 s, and one is away from 2 s to 6 s."""

    def tally(self, name):
        now, found = self.clock.now, super().tally(name)
        long = Tally(
            requests=int(100_000 + 10 * now), seconds=Histogram(bounds=(0.5,), counts=(0, 100_000))
        )
        if now < 4:
            found["old"]["leaving"] = long
        if not 2 < now < 6:
            found["old"]["away"] = long
        return found


def test_only_what_servers_answer_in_the_step_is_judged_though_some_come_and_go(clock):
    """By hand: 1,000 of the one that stays, 35 of the one seen for 3.5 s, 100 of the one that came back."""
    found = watched(Leaving(clock, new=50))
    assert found.requests == (500, 1135)


class Foreign(Counting):
    """Counts what cannot be compared, until so many seconds have passed."""

    def __init__(self, clock, until=1000, **foreign):
        super().__init__(clock, new=50)
        self.until, self.foreign = until, foreign

    def tally(self, name):
        found = super().tally(name)
        if self.clock.now < self.until:
            given = {key: each(found["new"]["n"].requests) for key, each in self.foreign.items()}
            found["new"]["n"] = replace(found["new"]["n"], **given)
        return found


def otherwise(count):
    return Histogram(bounds=(0.4,), counts=(0, count))


def nothing(_):
    return {}


def apart(count):
    """Another class than the old one's, and wholly other shares."""
    return {"p/Late": Histogram(bounds=(0.5,), counts=(0, count))}


FOREIGN = {
    "another class": ({"predictions": apart}, "predictions `p/Late`, predictions `p/late`"),
    "other bounds": ({"predictions": lambda count: {"p/late": otherwise(count)}}, "predictions `p/late`"),
    "no predictions": ({"predictions": nothing}, "predictions `p/late`"),
    "no times": ({"seconds": lambda _: Histogram()}, "times to answer"),
    "times by other bounds": ({"seconds": otherwise}, "times to answer"),
}  # fmt: skip


@pytest.mark.parametrize("foreign", FOREIGN)
def test_what_cannot_be_compared_is_inconclusive_by_name_and_never_passes(clock, foreign):
    given, told = FOREIGN[foreign]
    found = watched(Foreign(clock, **given))
    assert found.verdict == "inconclusive"
    (reason,) = found.reasons
    assert reason.startswith(f"not compared: {told}, which")
    assert 40 < clock.now < 41


def test_what_is_not_counted_for_a_while_is_waited_for(clock):
    assert watched(Foreign(clock, until=15, predictions=nothing)).verdict == "pass"
    assert clock.now == 15


def test_nothing_counted_of_predictions_at_all_is_inconclusive(clock):
    target = Counting(clock, new=50)
    target.tally = lambda _: {
        each: {each: replace(counted(int(50 * clock.now)), predictions={})} for each in ("new", "old")
    }
    (reason,) = watched(target).reasons
    assert reason.startswith("not compared: predictions, which")


@pytest.mark.parametrize(("within", "verdict"), [(79, "pass"), (80, "inconclusive")])
def test_predictions_that_mostly_lie_in_one_bin_are_inconclusive_by_name(clock, within, verdict):
    """A shift within the bin would not be seen."""

    def tally(_):
        seconds = int(clock.now)
        lying = Histogram(bounds=(0.5,), counts=(within * seconds, (100 - within) * seconds))
        one = replace(counted(100 * seconds), predictions={"p/late": lying})
        return {each: {each: one} for each in ("new", "old")}

    target = Counting(clock, new=50)
    target.tally = tally
    found = watched(target)
    assert found.verdict == verdict
    told = "predictions `p/late`, of which 80% of the old one's lie between 0 and 0.5, where they are not"
    assert [told in reason for reason in found.reasons] == [True] * (verdict == "inconclusive")


def test_predictions_are_not_asked_for_where_any_shift_is_borne(clock):
    found = watched(Foreign(clock, predictions=apart), config=replace(CONFIG, max_prediction_shift=1))
    assert found.verdict == "pass"


class Away(Counting):
    """Has no counts for some seconds."""

    away = range(0)

    def tally(self, name):
        if int(self.clock.now) in self.away:
            raise UnavailableError("Prometheus does not answer")
        return super().tally(name)


@pytest.mark.parametrize(("away", "seconds"), [(range(1), 10), (range(3, 8), 10), (range(9, 15), 15)])
def test_counts_that_do_not_come_for_a_while_are_waited_for(clock, away, seconds):
    target = Away(clock, new=50)
    target.away = away
    assert watched(target).verdict == "pass"
    assert clock.now == seconds


def test_counts_that_do_not_come_at_all_are_inconclusive_at_the_deadline(clock):
    target = Away(clock, new=50)
    target.away = range(1000)
    found = watched(target)
    assert found.verdict == "inconclusive"
    assert found.reasons == ("there are no counts: Prometheus does not answer",)
    assert 40 < clock.now < 41


def test_counts_that_will_never_come_are_inconclusive_at_once(clock):
    target = Counting(clock, new=50)

    def nobody_counts(_):
        raise BadInputError("nothing counts requests", where="parameter `deploy.kserve.prometheus`")

    target.tally = nobody_counts
    found = watched(target)
    assert found.verdict == "inconclusive"
    (reason,) = found.reasons
    assert "there are no counts: " in reason
    assert "deploy.kserve.prometheus" in reason
    assert clock.now < 1


def test_failing_revision_ends_the_step_at_its_first_look(clock):
    found = watched(Counting(clock, new=20, failing=1.0))
    assert found.verdict == "fail"
    assert "100.00% of 10 requests fail" in found.reasons[0]
    assert clock.now == 0.5  # ten requests, at twenty a second


def test_looks_are_few_and_their_levels_sum_to_less_than_the_level(clock, monkeypatch):
    levels = []

    def look(new, old, limits, *, level):
        levels.append(level)
        return []

    monkeypatch.setattr(watch, "judge", look)
    watched(Counting(clock, new=100))
    assert len(levels) <= 7  # 1,000 requests: 10 doubled is more after seven times
    assert levels[:2] == [CONFIG.level / 2, CONFIG.level / 6]
    assert sum(levels) < CONFIG.level


def test_what_the_check_raises_ends_the_step(clock):
    def dead():
        raise RefusedError("it died")

    with pytest.raises(RefusedError, match="it died"):
        watched(Counting(clock, new=50), dead)
