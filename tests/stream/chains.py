"""Random chains of streams, random sources, and a count of every item, for test_stress.py.

An item is a number of six digits, the first of them no zero.  Whatever a chain makes of its items,
rows, lines, chunks, JSON or events, it keeps the digits and their order, and it adds none: so what
a chain has delivered is the digits of its items, one after the other, and the model is arithmetic
on lists of numbers.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import re
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

from hypothesis import strategies as st

from generators import (
    Broadcast,
    CSVBatch,
    ServerSentEvent,
    abatched,
    achunked,
    acsv_batches,
    acsv_encode,
    acsv_rows,
    aevent_source,
    aevent_stream,
    aheartbeat,
    ajsonl_encode,
    ajsonl_rows,
    alines,
    amap,
    amerge,
)

TEXT, EVENTS, ROW, EVENT, BATCH = 'text', 'events', 'row', 'event', 'batch'
FIRST, ITEMS = 100_000, 1000  # the numbers of a source begin there, and so far from the last one's


class Failed(Exception):
    """What a source or a call raises."""


# --- items ----------------------------------------------------------------------------------------


def item_of(kind: str, number: int) -> Any:
    text = str(number)
    if kind == ROW:
        return (text,)
    return f'data: {text}\n\n' if kind == EVENTS else text + '\n'


def text_of(item: Any) -> str:
    """All that is written in an item of any kind."""
    if isinstance(item, tuple | list):
        return ''.join(map(text_of, item))
    if isinstance(item, ServerSentEvent):
        return item.data
    if isinstance(item, CSVBatch):
        return ''.join(map(str, memoryview(item.column(0))))
    return item.decode() if isinstance(item, bytes) else str(item)


def numbers_of(items: list[Any]) -> list[int]:
    """The numbers of items that were delivered one after the other; one that is torn is none."""
    digits = re.sub(r'\D', '', ''.join(map(text_of, items)))
    whole = len(digits) - len(digits) % 6
    return [int(digits[i : i + 6]) for i in range(0, whole, 6)]


# --- sources --------------------------------------------------------------------------------------


@dataclasses.dataclass
class Plan:
    """What a source does: a wait before each item, then its end, and a wait when it is closed."""

    waits: list[float]  # seconds; 0 is a turn of the loop, below 0 nothing
    end: str  # 'ends', 'fails' or 'blocks'
    closing: float
    bare: bool  # turns are bare yields

    def __post_init__(self) -> None:
        self.given: list[int] = []
        self.begun = 0
        self.closed = 0
        self.blocked = False
        self.first = FIRST
        self.error = Failed()
        self.task: Any = None

    def number(self, i: int) -> int:
        self.given.append(self.first + i)
        return self.first + i


class Turn:
    def __await__(self) -> Generator[None, None, None]:
        yield


async def wait(seconds: float, bare: bool = False) -> None:
    if seconds > 0:
        await asyncio.sleep(seconds)
    elif seconds == 0:
        await (Turn() if bare else asyncio.sleep(0))


def look(plan: Plan) -> None:
    """All of a source is in one task."""
    if plan.task is None:
        plan.task = asyncio.current_task()
    assert asyncio.current_task() is plan.task


async def source_of(plan: Plan, kind: str) -> AsyncGenerator[Any, None]:
    plan.begun += 1
    look(plan)
    try:
        for i, seconds in enumerate(plan.waits):
            await wait(seconds, plan.bare)
            look(plan)
            yield item_of(kind, plan.number(i))
        if plan.end == 'fails':
            raise plan.error
        if plan.end == 'blocks':
            plan.blocked = True
            await asyncio.get_running_loop().create_future()
    finally:
        look(plan)
        try:
            await wait(plan.closing, plan.bare)
        finally:
            plan.closed += 1


plans = st.builds(
    Plan,
    waits=st.lists(st.sampled_from([-1, -1, 0, 0, 0.01, 0.03]), max_size=9),
    end=st.sampled_from(['ends', 'ends', 'fails', 'blocks']),
    closing=st.sampled_from([-1, 0, 0.01]),
    bare=st.booleans(),
)


# --- stages ---------------------------------------------------------------------------------------


@dataclasses.dataclass
class Chain:
    """What is known of a chain, and of what it was built."""

    kind: str
    plans: list[Plan]
    names: list[str] = dataclasses.field(default_factory=list)
    cut: bool = False  # a number may lie across two items
    mixed: bool = False  # numbers of one source come in any order
    torn: bool = False  # a failure of the source leaves out what is not complete
    stops: bool = True  # stop() reaches the source
    beside: list[Any] = dataclasses.field(default_factory=list)  # tasks that work for the chain
    tail: list[Any] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class Stage:
    """A type that streams what another gives, and how a chain is afterwards."""

    name: str
    takes: tuple[str, ...]
    make: Callable[[Any, Chain, Callable[[Any], Any]], Any]
    gives: str | None = None
    cuts: bool = False
    mixes: bool = False
    tears: bool = False
    parses: bool = False


ALL = (TEXT, EVENTS, ROW, EVENT)
ANY = (*ALL, BATCH)
TEXTS = (TEXT, EVENTS)
NOTHING = {TEXT: '', EVENTS: '', ROW: (), EVENT: ServerSentEvent()}
Draw = Callable[[Any], Any]
delays = st.sampled_from([0, 0.005, 0.02, None])
sizes = st.sampled_from([1, 5, 7, 16, 50, 65536])


def dumped(row: Any) -> str:
    return json.dumps(text_of(row))


def loaded(line: bytes) -> tuple[str]:
    return (line.decode(),)


async def later(item: Any) -> Any:
    """By its number: no two calls take the same time."""
    numbers = numbers_of([item])
    await wait((sum(numbers) * 7 % 5 - 2) / 200)
    return item


def make_abatched(source: Any, chain: Chain, draw: Draw) -> Any:
    n = draw(st.integers(1, 4))
    chain.torn |= n > 1
    return abatched(source, n, max_delay=draw(delays))


def make_amap(source: Any, chain: Chain, draw: Draw) -> Any:
    ordered = chain.cut or draw(st.booleans())
    chain.mixed |= not ordered
    concurrency = draw(st.integers(1, 4))
    buffersize = draw(st.sampled_from([None, 1, 2, 5]))
    if buffersize is not None:
        concurrency = min(concurrency, buffersize)
    return amap(later, source, concurrency=concurrency, ordered=ordered, buffersize=buffersize)


def make_pairs(source: Any, chain: Chain, draw: Draw) -> Any:
    """(item, result): the result is nothing."""

    async def nothing(item: Any) -> tuple[()]:
        await wait(draw_wait)
        return ()

    draw_wait = draw(st.sampled_from([-1, 0, 0.01]))
    return amap(nothing, source, concurrency=draw(st.integers(1, 3)), pairs=True)


def make_amerge(source: Any, chain: Chain, draw: Draw) -> Any:
    others: list[Any] = []
    if not chain.cut:
        for _ in range(draw(st.integers(0, 2))):
            plan = draw(plans)
            plan.first += ITEMS * len(chain.plans)
            chain.plans.append(plan)
            others.append(source_of(plan, chain.kind if chain.kind in TEXTS else ROW))
    chain.torn |= len(others) > 0  # one that fails cancels what another has in work
    return amerge(source, *others)


def make_broadcast(source: Any, chain: Chain, draw: Draw) -> Any:
    """One of its subscribers; another never reads."""
    broadcast: Broadcast[Any] = Broadcast(buffersize=draw(st.integers(1, 4)))
    stream = broadcast.subscribe()
    how = draw(st.sampled_from(['drop_oldest', 'drop_newest', 'close']))
    chain.tail.append(broadcast.subscribe(buffersize=1, on_full=how))
    running = asyncio.ensure_future(broadcast.arun(source))
    # What it raises, its subscribers raise, too.
    running.add_done_callback(lambda task: task.cancelled() or task.exception())
    chain.beside.append(running)
    chain.stops = False
    return stream


STAGES = [
    Stage('abatched', ALL, make_abatched, ROW),
    Stage(
        'achunked',
        TEXTS,
        lambda source, chain, draw: achunked(source, draw(sizes), max_delay=draw(delays)),
        cuts=True,
    ),
    Stage('acsv_rows', TEXTS, lambda s, c, draw: acsv_rows(s, items='chunks'), ROW, parses=True),
    Stage(
        'acsv_batches',
        (TEXT,),
        lambda source, chain, draw: acsv_batches(
            source, header=False, items='chunks', rows=draw(st.integers(1, 4)), types={0: int}
        ),
        BATCH,
        tears=True,
        parses=True,
    ),
    Stage('alines', TEXTS, lambda s, c, draw: alines(s, keepends=True), parses=True),
    Stage('ajsonl_rows', TEXTS, lambda s, c, draw: ajsonl_rows(s, loads=loaded), ROW, parses=True),
    Stage('aevent_source', (EVENTS,), lambda s, c, draw: aevent_source(s), EVENT, parses=True),
    Stage(
        'aevent_stream',
        (TEXT, EVENT),
        lambda source, chain, draw: aevent_stream(
            source, heartbeat=draw(st.sampled_from([None, 0.005, 0.02]))
        ),
        EVENTS,
    ),
    Stage(
        'acsv_encode',
        (ROW, BATCH),
        lambda source, chain, draw: acsv_encode(
            source, header=False, size=draw(sizes), max_delay=draw(delays)
        ),
        TEXT,
        cuts=True,
    ),
    Stage(
        'ajsonl_encode',
        (ROW, EVENT),
        lambda source, chain, draw: ajsonl_encode(
            source, dumps=dumped, size=draw(sizes), max_delay=draw(delays)
        ),
        TEXT,
        cuts=True,
    ),
    Stage(
        'aheartbeat',
        ALL,
        lambda source, chain, draw: aheartbeat(
            source, draw(st.sampled_from([0.004, 0.02, 5])), NOTHING[chain.kind]
        ),
    ),
    Stage('amap', ANY, make_amap),
    Stage('pairs', ALL, make_pairs, ROW),
    Stage('amerge', (TEXT, EVENTS, ROW), make_amerge),
    Stage('broadcast', ANY, make_broadcast),
]


def allowed(stage: Stage, chain: Chain) -> bool:
    if stage.name == 'acsv_batches' and not set(chain.names) <= PLAIN:
        return False  # it reads numbers
    return chain.kind in stage.takes


PLAIN = {'achunked', 'alines', 'amap', 'amerge', 'aheartbeat'}


def add(stage: Stage, source: Any, chain: Chain, draw: Draw) -> Any:
    stream = stage.make(source, chain, draw)
    chain.names.append(stage.name)
    chain.torn |= stage.tears or (stage.parses and chain.cut)
    chain.cut |= stage.cuts
    chain.kind = stage.gives or chain.kind
    return stream


def build(draw: Draw) -> tuple[Any, Chain]:
    """One to four stages over a source; on the loop that runs."""
    plan = draw(plans)
    kind = draw(st.sampled_from([TEXT, EVENTS, ROW]))
    chain = Chain(kind, [plan])
    stream: Any = source_of(plan, kind)
    for _ in range(draw(st.integers(1, 4))):
        choice = [stage for stage in STAGES if allowed(stage, chain)]
        stream = add(draw(st.sampled_from(choice)), stream, chain, draw)
    return stream, chain


# --- the model ------------------------------------------------------------------------------------


def check_numbers(chain: Chain, got: list[int]) -> None:
    """None twice, none that was not given, and none left out before another of its source."""
    assert len(set(got)) == len(got), (got, chain)
    for plan in chain.plans:
        mine = [number for number in got if number // ITEMS == plan.first // ITEMS]
        if chain.mixed:
            assert set(mine) <= set(plan.given), (got, chain)
        else:
            assert mine == plan.given[: len(mine)], (got, chain)
    assert {number // ITEMS for number in got} <= {plan.first // ITEMS for plan in chain.plans}


def check_all_came(chain: Chain, got: list[int]) -> None:
    assert sorted(got) == sorted(number for plan in chain.plans for number in plan.given), chain
