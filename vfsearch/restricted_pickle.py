"""Pickles of plain values, read without running anything that they say.

A pickle is a program. This reader steps through it with a machine of its own that knows lists, tuples, dicts, sets,
texts, numbers and NumPy arrays and scalars of these, and refuses everything else by name: no import, no call, no class.
Arrays are built here from their plain parts, because a forged dtype makes NumPy read memory that is not its own.
"""

import pickletools
import re
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from vfsearch.errors import InputError

LARGEST_FILE = 2**28
"""Bytes."""
_MOST_STEPS, _MOST_SETS = 20_000_000, 10_000
_LARGEST_KEY = 2**60
_SPELLED = re.compile(r"[biufSU][0-9]{1,9}")
_SPARE_BYTES, _TIMES_STORED = 1000, 4
"""What the arrays of a pickle may have beyond its own size: old protocols spell bytes as texts first."""


def read_pickle(path: Path, largest: int = LARGEST_FILE) -> object:
    """The value in a pickle file.

    Args:
        path: of the file.
        largest: bytes; a larger file is refused.
    Raises:
        InputError: unreadable, too large, damaged, or it holds anything but plain values.
    """
    try:
        with path.open("rb") as file:
            data = file.read(largest + 1)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    if len(data) > largest:
        raise InputError(f"{path} has more than {largest:,} bytes, the most that is read of a pickle")
    return loads(data, str(path))


def loads(data: bytes, where: str) -> object:
    """The value in a pickle.

    Args:
        data: the pickle, of any protocol.
        where: what to call it in messages.
    Returns:
        Made of list, tuple, dict, set, str, bytes, int, float, bool, None and NumPy arrays; NumPy scalars become
        Python's. Keys of dicts and members of sets are single values.
    Raises:
        InputError: damaged, or it holds anything else; the message names it.
    Example:
        >>> import pickle
        >>> loads(pickle.dumps({"list": [("a.wav", "b.jpg", 1)]}), "example")
        {'list': [('a.wav', 'b.jpg', 1)]}
        >>> loads(pickle.dumps(print), "example")
        Traceback (most recent call last):
        vfsearch.errors.InputError: example cannot be read: it wants builtins.print, and only plain values are read
    """
    try:
        with warnings.catch_warnings():
            # A text that is oddly spelled is read, or is not: either way there is nothing to warn of.
            warnings.simplefilter("ignore", DeprecationWarning)
            return _run(data)
    except _RefusedError as error:
        raise InputError(f"{where} cannot be read: {error}, and only plain values are read") from None
    except (ValueError, TypeError, IndexError, KeyError, AttributeError, OverflowError, MemoryError) as error:
        problem = f"it is no whole pickle, or a damaged one ({str(error)[:200]})"
        raise InputError(f"{where} cannot be read: {problem}") from error


def _run(data: bytes) -> object:
    machine = _Machine(len(data))
    for opcode, argument, _ in pickletools.genops(data):
        if opcode.name == "STOP":
            return machine.result()
        machine.step(opcode.name, argument)
    raise ValueError("it ends too early")


class _RefusedError(Exception):
    """The pickle holds what is not a plain value."""


class _Part:
    """What a pickle puts arrays together from; no value itself."""


class _Mark(_Part):
    """Where a run of values begins."""


class _Function(_Part):
    """A function that may be called."""

    def __init__(self, made: Callable) -> None:
        self.made = made


class _Arguments(tuple, _Part):
    """A tuple with parts in it."""

    __slots__ = ()


class _Dtype(_Part):
    """The type of an array's elements: a kind, a size and an order of bytes, and nothing else."""

    def __init__(self, spelled: object, *_: object) -> None:
        if not isinstance(spelled, str) or not _SPELLED.fullmatch(spelled):
            raise _RefusedError(f"it wants an array of {_named(spelled)}")
        self.spelled, self._order = spelled, "<"

    def take(self, state: object) -> None:
        """What the pickle says of byte order; a structure inside is refused."""
        if not isinstance(state, tuple) or len(state) < 5 or state[1] not in ("<", ">", "|", "="):
            raise ValueError("a type of array elements without its state")
        if any(part is not None for part in state[2:5]):
            raise _RefusedError("it wants an array of structures")
        self._order = state[1]

    def made(self) -> np.dtype:
        """The dtype."""
        return np.dtype(self._order.replace("|", "") + self.spelled)


class _Array(_Part):
    """The place of an array of which the pickle has not yet said what is in it."""

    def __init__(self) -> None:
        self.values: np.ndarray | None = None


def _named(value: object) -> str:
    return repr(value[:40]) if isinstance(value, str) else type(value).__name__


def _elements(raw: object, dtype: object) -> np.ndarray:
    """(n,) elements from their bytes."""
    if isinstance(raw, str):
        raw = raw.encode("latin-1")
    if not isinstance(dtype, _Dtype) or not isinstance(raw, bytes | bytearray):
        raise _RefusedError("it wants an array of objects")
    return np.frombuffer(bytes(raw), dtype=dtype.made()) if raw else np.empty(0, dtype=dtype.made())


def _shaped(elements: np.ndarray, shape: object, order: str) -> np.ndarray:
    if not isinstance(shape, tuple) or not all(type(side) is int and side >= 0 for side in shape):
        raise ValueError("an array without a shape")
    return elements.reshape(shape, order=order)


def _scalar(dtype: object, raw: object = b"") -> object:
    """One element, as a value of Python."""
    # An empty text has no bytes, and so no element.
    if not raw and isinstance(dtype, _Dtype) and dtype.spelled in ("U0", "S0"):
        return "" if dtype.spelled == "U0" else b""
    return _shaped(_elements(raw, dtype), (), "C").item()


def _from_buffer(raw: object, dtype: object, shape: object, order: object, *_: object) -> np.ndarray:
    if order not in ("C", "F"):
        raise _RefusedError("it wants an array whose axes were exchanged")
    return _shaped(_elements(raw, dtype), shape, order)


def _latin(text: object, encoding: object = "latin1") -> bytes:
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise ValueError("bytes in an unknown spelling")
    return text.encode("latin-1")


def _new_array(*_: object) -> _Array:
    return _Array()


def _new_set(members: Sequence = ()) -> set:
    if not isinstance(members, list | tuple):
        raise ValueError("a set of no list")
    return set(_atoms(members))


def _empty_bytes() -> bytes:
    return b""


def _atoms(values: Sequence) -> Sequence:
    """Single values: what is nested can take the whole stack to compare, and some numbers compare very slowly."""
    for value in values:
        single = isinstance(value, str | bytes) or value is None
        if not single and not (isinstance(value, int) and abs(value) < _LARGEST_KEY):
            raise _RefusedError(f"it wants a key that is a {type(value).__name__}")
    return values


def _numpy(name: str, made: Callable) -> dict[tuple[str, str], Callable]:
    """A function of NumPy, under the names of its place before and since version 2."""
    return {(f"numpy.{core}.{name.rpartition('.')[0]}", name.rpartition(".")[2]): made for core in ("core", "_core")}


_KNOWN: dict[tuple[str, str], Callable] = {
    **_numpy("multiarray._reconstruct", _new_array),
    **_numpy("multiarray.scalar", _scalar),
    **_numpy("numeric._frombuffer", _from_buffer),
    ("numpy", "ndarray"): _new_array,
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _latin,
    ("builtins", "set"): _new_set,
    ("__builtin__", "set"): _new_set,
    ("builtins", "bytes"): _empty_bytes,
    ("__builtin__", "bytes"): _empty_bytes,
}


def _plain(value: object) -> object:
    """The value itself, the array for the place of an array."""
    if not isinstance(value, _Part):
        return value
    if not isinstance(value, _Array):
        raise ValueError("a part of an array where a value should be")
    if value.values is None:
        raise ValueError("an array without its content")
    return value.values


class _Machine:
    """The stack machine of pickles, without its dangerous half.

    Args:
        size: bytes of the pickle; its arrays together may not have more.
    """

    def __init__(self, size: int) -> None:
        self._stack: list = []
        self._memo: dict[int, object] = {}
        self._bytes_left = _TIMES_STORED * size + _SPARE_BYTES
        self._steps = self._sets = 0

    def step(self, name: str, argument: object) -> None:
        """Do one instruction."""
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise _RefusedError(f"it has more than {_MOST_STEPS:,} steps")
        if name in _PUSHED:
            self._stack.append(argument)
        elif name in _CONSTANTS:
            self._stack.append(_CONSTANTS[name])
        elif name in _STEPS:
            _STEPS[name](self, argument)
        else:
            raise _RefusedError(f"it uses {name}")

    def result(self) -> object:
        """What the pickle was of."""
        (value,) = self._stack
        return _plain(value)

    def _pop(self, kind: type | tuple[type, ...] = object) -> object:
        value = self._stack.pop()
        if not isinstance(value, kind):
            raise ValueError("a value of another kind was expected")
        return value

    def _top(self, kind: type) -> object:
        value = self._stack[-1]
        if not isinstance(value, kind):
            raise ValueError(f"a {kind.__name__} was expected")
        return value

    def _since_mark(self) -> list:
        """The values above the last mark, which goes as well."""
        place = len(self._stack) - 1
        while not isinstance(self._stack[place], _Mark):
            place -= 1
            if place < 0:
                raise ValueError("a mark is missing")
        values = self._stack[place + 1 :]
        del self._stack[place:]
        return values

    def _plain_since_mark(self) -> list:
        return [_plain(value) for value in self._since_mark()]

    def nothing(self, _: object) -> None:
        """A step that only helps other readers."""

    def new_list(self, _: object) -> None:
        """An empty list."""
        self._stack.append([])

    def new_dict(self, _: object) -> None:
        """An empty dict."""
        self._stack.append({})

    def new_set(self, _: object) -> None:
        """An empty set; they are few, for they are large."""
        self._sets += 1
        if self._sets > _MOST_SETS:
            raise _RefusedError(f"it has more than {_MOST_SETS:,} sets")
        self._stack.append(set())

    def mark(self, _: object) -> None:
        """Where a run of values begins."""
        self._stack.append(_Mark())

    def drop(self, _: object) -> None:
        """Forget the last value."""
        self._stack.pop()

    def drop_run(self, _: object) -> None:
        """Forget a run of values."""
        self._since_mark()

    def repeat(self, _: object) -> None:
        """The last value once more."""
        self._stack.append(self._stack[-1])

    def list_of(self, _: object) -> None:
        """A list of a run of values."""
        self._stack.append(self._plain_since_mark())

    def tuple_of(self, _: object) -> None:
        """A tuple of a run of values."""
        self._push_tuple(self._since_mark())

    def tuple_of_last(self, count: int) -> None:
        """A tuple of the last values."""
        if len(self._stack) < count:
            raise ValueError("a tuple of more values than there are")
        values = self._stack[-count:]
        del self._stack[-count:]
        self._push_tuple(values)

    def _push_tuple(self, values: list) -> None:
        values = [value.values if isinstance(value, _Array) and value.values is not None else value for value in values]
        parts = any(isinstance(value, _Part) for value in values)
        self._stack.append(_Arguments(values) if parts else tuple(values))

    def dict_of(self, _: object) -> None:
        """A dict of a run of keys and values."""
        values = self._plain_since_mark()
        self._stack.append(dict(zip(_atoms(values[::2]), values[1::2], strict=True)))

    def append(self, _: object) -> None:
        """One value more in a list."""
        value = _plain(self._pop())
        self._top(list).append(value)

    def append_run(self, _: object) -> None:
        """A run of values more in a list."""
        values = self._plain_since_mark()
        self._top(list).extend(values)

    def add_run(self, _: object) -> None:
        """A run of values more in a set."""
        values = self._plain_since_mark()
        self._top(set).update(_atoms(values))

    def put(self, _: object) -> None:
        """One key with its value."""
        value, key = _plain(self._pop()), _plain(self._pop())
        self._top(dict)[_atoms([key])[0]] = value

    def put_run(self, _: object) -> None:
        """A run of keys and values."""
        values = self._plain_since_mark()
        self._top(dict).update(zip(_atoms(values[::2]), values[1::2], strict=True))

    def remember(self, number: object) -> None:
        """Give the last value a number."""
        self._memo[len(self._memo) if number is None else number] = self._stack[-1]

    def recall(self, number: object) -> None:
        """The value of a number."""
        self._stack.append(self._memo[number])

    def function(self, argument: object) -> None:
        """One of the functions that are known, by the name in the step itself."""
        module, _, name = argument.partition(" ")
        self._push_function(module, name)

    def function_on_stack(self, _: object) -> None:
        """One of the functions that are known, by the two names before."""
        name, module = self._pop(str), self._pop(str)
        self._push_function(module, name)

    def _push_function(self, module: str, name: str) -> None:
        if (module, name) not in _KNOWN:
            raise _RefusedError(f"it wants {module[:60]}.{name[:60]}")
        self._stack.append(_Function(_KNOWN[module, name]))

    def call(self, _: object) -> None:
        """The value of a known function."""
        arguments, function = self._pop(tuple), self._pop(_Function)
        self._spend(arguments)
        if function.made is _new_set:
            self._sets += 1
        self._stack.append(function.made(*arguments))

    def _spend(self, parts: Sequence) -> None:
        # A pickle stores the bytes of each array once; one that says otherwise wants to fill the memory.
        self._bytes_left -= sum(len(part) for part in parts if isinstance(part, str | bytes | bytearray | list | tuple))
        if self._bytes_left < 0:
            raise _RefusedError("it wants arrays that are larger than itself")

    def build(self, _: object) -> None:
        """Fill an array or a type of array elements."""
        state = self._pop(tuple)
        value = self._stack[-1]
        if isinstance(value, _Dtype):
            value.take(state)
        elif isinstance(value, _Array):
            self._spend(state)
            _, shape, dtype, by_columns, raw = state
            value.values = _shaped(_elements(raw, dtype), shape, "F" if by_columns else "C")
        else:
            raise ValueError("a state for a value that has none")


_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_PUSHED = {
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
    "STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8",
    "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8",
}  # fmt: skip


_STEPS: dict[str, Callable[[_Machine, object], None]] = {
    "PROTO": _Machine.nothing, "FRAME": _Machine.nothing,
    "MARK": _Machine.mark, "POP": _Machine.drop, "POP_MARK": _Machine.drop_run, "DUP": _Machine.repeat,
    "EMPTY_LIST": _Machine.new_list, "EMPTY_DICT": _Machine.new_dict, "EMPTY_SET": _Machine.new_set,
    "LIST": _Machine.list_of, "TUPLE": _Machine.tuple_of, "DICT": _Machine.dict_of,
    "TUPLE1": lambda machine, _: machine.tuple_of_last(1),
    "TUPLE2": lambda machine, _: machine.tuple_of_last(2),
    "TUPLE3": lambda machine, _: machine.tuple_of_last(3),
    "APPEND": _Machine.append, "APPENDS": _Machine.append_run, "ADDITEMS": _Machine.add_run,
    "SETITEM": _Machine.put, "SETITEMS": _Machine.put_run,
    "PUT": _Machine.remember, "BINPUT": _Machine.remember, "LONG_BINPUT": _Machine.remember,
    "MEMOIZE": _Machine.remember,
    "GET": _Machine.recall, "BINGET": _Machine.recall, "LONG_BINGET": _Machine.recall,
    "GLOBAL": _Machine.function, "STACK_GLOBAL": _Machine.function_on_stack,
    "REDUCE": _Machine.call, "BUILD": _Machine.build,
}  # fmt: skip
