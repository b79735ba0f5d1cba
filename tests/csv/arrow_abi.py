"""Arrow data made by hand, as a library in C makes them: right ones, and wrong ones.

A struct lives as long as the object that offers it. Nothing is freed when it is released.
"""

from __future__ import annotations

import collections
import ctypes
import functools
import sys
from collections.abc import Iterable, Sequence
from typing import Any

# A function in C that may be called with anything, and does nothing.
NOTHING = ctypes.cast(ctypes.pythonapi.Py_IsInitialized, ctypes.c_void_p).value


class Schema(ctypes.Structure):
    pass


class Array(ctypes.Structure):
    pass


class CStream(ctypes.Structure):
    pass


Schema._fields_ = [
    ('format', ctypes.c_char_p),
    ('name', ctypes.c_char_p),
    ('metadata', ctypes.c_char_p),
    ('flags', ctypes.c_int64),
    ('n_children', ctypes.c_int64),
    ('children', ctypes.POINTER(ctypes.POINTER(Schema))),
    ('dictionary', ctypes.POINTER(Schema)),
    ('release', ctypes.c_void_p),
    ('private_data', ctypes.c_void_p),
]
Array._fields_ = [
    ('length', ctypes.c_int64),
    ('null_count', ctypes.c_int64),
    ('offset', ctypes.c_int64),
    ('n_buffers', ctypes.c_int64),
    ('n_children', ctypes.c_int64),
    ('buffers', ctypes.POINTER(ctypes.c_void_p)),
    ('children', ctypes.POINTER(ctypes.POINTER(Array))),
    ('dictionary', ctypes.POINTER(Array)),
    ('release', ctypes.c_void_p),
    ('private_data', ctypes.c_void_p),
]

_CALL = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(CStream), ctypes.c_void_p)
_MESSAGE = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.POINTER(CStream))
_RELEASE = ctypes.CFUNCTYPE(None, ctypes.c_void_p)

CStream._fields_ = [
    ('get_schema', ctypes.c_void_p),
    ('get_next', ctypes.c_void_p),
    ('get_last_error', ctypes.c_void_p),
    ('release', ctypes.c_void_p),
    ('private_data', ctypes.c_void_p),
]

_new_capsule = ctypes.pythonapi.PyCapsule_New
_new_capsule.restype = ctypes.py_object
_new_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]


def _pointers(kind: Any, values: Sequence[Any]) -> Any:
    made = (ctypes.POINTER(kind) * max(len(values), 1))(*(ctypes.pointer(v) for v in values))
    return ctypes.cast(made, ctypes.POINTER(ctypes.POINTER(kind)))


def schema(
    format: str, name: str = '', *children: Schema, dictionary: Schema | None = None
) -> Schema:
    made = Schema(format.encode(), name.encode(), None, 2, len(children))
    made.children = _pointers(Schema, children)
    if dictionary is not None:
        made.dictionary = ctypes.pointer(dictionary)
    made.release = NOTHING
    made.kept = children, dictionary
    return made


def array(
    length: int,
    buffers: Iterable[bytes | None],
    *children: Array,
    offset: int = 0,
    null_count: int = 0,
    dictionary: Array | None = None,
) -> Array:
    owned = [None if b is None else ctypes.create_string_buffer(b, len(b) + 64) for b in buffers]
    places = [None if b is None else ctypes.addressof(b) for b in owned]
    made = Array(length, null_count, offset, len(owned), len(children))
    made.buffers = (ctypes.c_void_p * max(len(places), 1))(*places)
    made.children = _pointers(Array, children)
    if dictionary is not None:
        made.dictionary = ctypes.pointer(dictionary)
    made.release = NOTHING
    made.kept = owned, children, dictionary
    return made


def _capsule(struct: Any, name: bytes) -> Any:
    try:
        return _new_capsule(ctypes.addressof(struct), name, None)
    except ctypes.ArgumentError:
        raise MemoryError from None  # ctypes hides it


def _copy(struct: Any) -> Any:
    return type(struct).from_buffer_copy(struct)


class Batch:
    """Offers an array of structs, as often as it is asked."""

    def __init__(self, schema: Schema, array: Array) -> None:
        self.schema, self.array = schema, array
        self.copies: collections.deque[Any] = collections.deque(maxlen=64)

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[Any, Any]:
        copies = _copy(self.schema), _copy(self.array)
        self.copies.append(copies)  # until they were moved
        return _capsule(copies[0], b'arrow_schema'), _capsule(copies[1], b'arrow_array')


class Stream:
    """Offers a stream of batches; an int among them is the errno of a failure."""

    def __init__(
        self,
        schema: Schema | int,
        batches: Iterable[Array | int],
        message: bytes | None = b'no more data',
    ) -> None:
        self.schema = schema
        self.batches = iter(batches)
        self.message = None if message is None else ctypes.create_string_buffer(message)
        self.released = 0
        self.taken = 0
        self.functions = (
            _CALL(self.get_schema),
            _CALL(self.get_next),
            _MESSAGE(self.get_last_error),
            _RELEASE(self.release),
        )
        self.stream = CStream(*(ctypes.cast(f, ctypes.c_void_p).value for f in self.functions))

    def get_schema(self, stream: Any, out: int) -> int:
        if isinstance(self.schema, int):
            return self.schema
        ctypes.memmove(out, ctypes.addressof(self.schema), ctypes.sizeof(Schema))
        return 0

    def get_next(self, stream: Any, out: int) -> int:
        self.taken += 1
        batch = next(self.batches, None)
        if isinstance(batch, int):
            return batch
        if batch is None:
            ctypes.memset(out, 0, ctypes.sizeof(Array))
            return 0
        self.held = batch
        ctypes.memmove(out, ctypes.addressof(batch), ctypes.sizeof(Array))
        return 0

    def get_last_error(self, stream: Any) -> int | None:
        return None if self.message is None else ctypes.addressof(self.message)

    def release(self, stream: Any) -> None:
        self.released += 1

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        return _capsule(self.stream, b'arrow_array_stream')


_for_ever: list[Batch] = []


@functools.cache
def numbers_and_texts(*given: str) -> Batch:
    """A batch of two columns, `id` and `text`, which lives for ever."""
    count, texts = len(given), [text.encode() for text in given]
    ids, offsets, end = b'', b'\0\0\0\0', 0
    for i, text in enumerate(texts):
        end += len(text)
        ids += i.to_bytes(8, sys.byteorder)
        offsets += end.to_bytes(4, sys.byteorder)
    batch = Batch(
        schema('+s', '', schema('l', 'id'), schema('u', 'text')),
        array(
            count,
            [None],
            array(count, [None, ids]),
            array(count, [None, offsets, b''.join(texts)]),
        ),
    )
    _for_ever.append(batch)  # two threads may make one each, of which the cache keeps the last
    return batch
