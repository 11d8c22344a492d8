import asyncio
from types import SimpleNamespace

import pytest

from pipelines.local.slots import Slots, machine_memory, remaining_chains


async def order_of(slots, *asked):
    """Ask in turn while two others hold all room; returns who got it, in order."""
    got, leave = [], asyncio.Event()

    async def ask(name, chain, memory):
        async with slots.taken(chain=chain, memory_bytes=memory):
            got.append(name)
            await asyncio.sleep(0)

    async def hold():
        async with slots.taken(chain=99):
            await leave.wait()

    holders = [asyncio.create_task(hold()) for _ in range(2)]
    await asyncio.sleep(0)
    tasks = [asyncio.create_task(ask(*request)) for request in asked]
    await asyncio.sleep(0)
    assert got == []
    leave.set()
    await asyncio.gather(*holders, *tasks)
    return got


def test_longest_chain_comes_first_and_of_equal_ones_the_first():
    asked = [("short", 1, 0), ("middle", 2, 0), ("long", 7, 0), ("also middle", 2, 0)]
    found = asyncio.run(order_of(Slots(2, 100), *asked))
    assert found == ["long", "middle", "also middle", "short"]


async def most_at_once(slots, memories):
    now = most = 0

    async def work(memory):
        nonlocal now, most
        async with slots.taken(chain=1, memory_bytes=memory):
            now += 1
            most = max(most, now)
            await asyncio.sleep(0.01)
            now -= 1

    await asyncio.gather(*(work(memory) for memory in memories))
    return most


@pytest.mark.parametrize(
    ("tasks", "memories", "most"),
    [(3, [0] * 9, 3), (3, [40] * 6, 2), (3, [60] * 4, 1), (3, [500, 500], 1), (1, [0, 0], 1)],
)
def test_cores_and_memory_bound_what_runs_at_once(tasks, memories, most):
    assert asyncio.run(most_at_once(Slots(tasks, 100), memories)) == most


def test_cancelled_task_gives_its_place_up():
    async def scenario():
        slots, held = Slots(1, 100), asyncio.Event()

        async def hold():
            async with slots.taken(chain=1, memory_bytes=100):
                held.set()
                await asyncio.sleep(60)

        running, waiting = asyncio.create_task(hold()), asyncio.create_task(hold())
        await held.wait()
        waiting.cancel()
        running.cancel()
        await asyncio.gather(running, waiting, return_exceptions=True)
        async with asyncio.timeout(1), slots.taken(chain=1, memory_bytes=100):
            return "free"

    assert asyncio.run(scenario()) == "free"


def node(label, after=(), body=None):
    work = SimpleNamespace() if body is None else SimpleNamespace(body=body)
    return SimpleNamespace(label=label, after=frozenset(after), work=work)


def graph(*nodes):
    return SimpleNamespace(tasks={found.label: found for found in nodes})


def test_chain_is_the_longest_way_to_the_end_through_graphs_too():
    inner = graph(node("train"), node("check", ["train"]))
    whole = graph(
        node("read"), node("aside"), node("loop", ["read"], inner), node("best", ["loop"]),
        node("end", ["best", "aside"]),
    )  # fmt: skip
    assert remaining_chains(whole) == {
        "read": 5, "aside": 2, "train": 4, "check": 3, "best": 2, "end": 1,
    }  # fmt: skip


def test_memory_is_at_most_that_of_the_machine():
    with open("/proc/meminfo") as file:
        total = int(file.readline().split()[1]) * 1024
    assert 0 < machine_memory() <= total
