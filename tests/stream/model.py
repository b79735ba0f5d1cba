"""What every synchronous stream promises, said in plain Python, and random uses of both."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any

from hypothesis import strategies as st

# Steps of one who uses a stream: a name and what the method of that name is given.
steps = st.lists(
    st.one_of(
        st.just(('__next__',)),
        st.just(('__next__',)),
        st.just(('send', None)),
        st.just(('send', 1)),
        st.just(('throw', KeyError('thrown'))),
        st.just(('throw', StopIteration('thrown'))),
        st.just(('throw', GeneratorExit('thrown'))),
        st.just(('close',)),
    ),
    max_size=12,
)


class Model:
    """``with closing(source): yield from transform(source)``, as a stream is that generator.

    Unlike a generator's, a stream's source is closed also when the first step is never made.
    """

    def __init__(self, source: Any, transform: Callable[[Iterator[Any]], Iterable[Any]]) -> None:
        self._source = source
        self._started = False
        self._generator = self._run(source, transform)

    @staticmethod
    def _run(source: Any, transform: Callable[[Iterator[Any]], Iterable[Any]]) -> Any:
        with contextlib.closing(source):
            yield from transform(source)

    def _close_unstarted(self) -> None:
        if not self._started:
            self._source.close()
        self._started = True

    def __next__(self) -> Any:
        self._started = True
        return next(self._generator)

    def send(self, value: Any) -> Any:
        self._started = self._started or value is None
        return self._generator.send(value)

    def throw(self, exception: BaseException) -> Any:
        fresh = not self._started
        self._close_unstarted()
        if fresh and isinstance(exception, StopIteration):
            # Python's versions differ on this before the first step: PEP 479 holds here, too.
            self._generator.close()
            raise RuntimeError('generator raised StopIteration') from exception
        return self._generator.throw(exception)

    def close(self) -> None:
        self._close_unstarted()
        self._generator.close()


def logged_source(
    items: Iterable[Any], log: list[str], error: Exception | None = None
) -> Generator[Any, None, None]:
    """A generator of the items, then the error, that tells what happens to it."""
    try:
        for item in items:
            log.append('asked')
            yield item
        if error is not None:
            raise error
    except BaseException as e:
        log.append(type(e).__name__)
        raise
    finally:
        log.append('closed')


def use(stream: Any, moves: list[tuple[Any, ...]]) -> list[Any]:
    """What came of each step."""
    outcomes: list[Any] = []
    for name, *arguments in moves:
        try:
            # An exception is raised anew by each of two streams: let them not share it.
            given = [type(a)(*a.args) if isinstance(a, BaseException) else a for a in arguments]
            outcomes.append(getattr(stream, name)(*given))
        except BaseException as e:
            # The value of a StopIteration is nothing that a stream gives.
            text = '' if isinstance(e, StopIteration) else str(e)
            outcomes.append((type(e), text))
    return outcomes


def check_against_model(
    native: Callable[[Any], Any],
    transform: Callable[[Iterator[Any]], Iterable[Any]],
    items: list[Any],
    moves: list[tuple[Any, ...]],
    error: Exception | None = None,
) -> None:
    """Both are used in the same way, and they and their sources behave in the same way."""
    native_log: list[str] = []
    model_log: list[str] = []
    stream = native(logged_source(items, native_log, error))
    model = Model(logged_source(items, model_log, error), transform)
    assert use(stream, moves) == use(model, moves)
    assert native_log == model_log
