"""The background event loop of `to_sync`: one for each interpreter, on a thread of its own.

It is made at first use, and made again after a fork. The thread is not a daemon: at exit, before
threads are joined, the tasks of the loop are cancelled and the loop ends.
"""

import asyncio
import threading
from asyncio import AbstractEventLoop, CancelledError

__all__ = ['AbstractEventLoop', 'CancelledError', 'forget', 'loop', 'running']

_lock = threading.Lock()
_loop: AbstractEventLoop | None = None
_stop = asyncio.Event()
_at_exit = False


def loop() -> AbstractEventLoop:
    """The running loop; it is started if need be."""
    global _loop, _stop
    found = running()
    if found is not None:
        return found
    with _lock:
        if _at_exit:
            raise RuntimeError('no event loop can be started: the interpreter is shutting down')
        if _loop is None:
            _stop = asyncio.Event()
            made = asyncio.new_event_loop()
            thread = threading.Thread(target=_run, args=(made, _stop), name='generators.to_sync')
            _loop = made
            try:
                thread.start()
            except BaseException:
                if not thread.is_alive():
                    _loop = None
                    made.close()
                raise
        return _loop


def running() -> AbstractEventLoop | None:
    """The loop, if it runs. Takes no lock."""
    return None if _at_exit else _loop


def forget() -> AbstractEventLoop | None:
    """In a forked child: forget the loop of the parent, whose thread is missing, and return it."""
    global _lock, _loop
    lost = _loop
    _lock = threading.Lock()
    _loop = None
    return lost


def _run(made: AbstractEventLoop, stop: asyncio.Event) -> None:
    with asyncio.Runner(loop_factory=lambda: made) as runner:
        runner.run(_wait(stop))


async def _wait(stop: asyncio.Event) -> None:
    await stop.wait()


def _end() -> None:
    global _at_exit
    with _lock:
        _at_exit = True
        if _loop is not None:
            _loop.call_soon_threadsafe(_stop.set)


threading._register_atexit(_end)  # type: ignore[attr-defined]
