"""Follows a pickle without running it: what would it make, and is that tensors and plain values?

A pickle is a program for a small stack machine that can import and call anything. Here its
steps are only followed: an import becomes its name, a tensor becomes its description, and
whatever `torch.save` does not write for a dictionary of tensors is refused. So that nothing is
left to find out when `torch.load(weights_only=True)` reads the file for good.
"""

from __future__ import annotations

import itertools
import pickletools
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any, BinaryIO

MAX_STEPS = 150_000  # a tensor takes about 35
MAX_CALLS = 12_000  # a tensor takes two or three
MAX_AXES = 16
MAX_NUMBER = 2**50  # for a size, in numbers

# Class of a storage -> bytes a number.
STORAGES = {
    **dict.fromkeys(("torch DoubleStorage", "torch LongStorage", "torch ComplexFloatStorage"), 8),
    **dict.fromkeys(("torch FloatStorage", "torch IntStorage"), 4),
    **dict.fromkeys(("torch HalfStorage", "torch BFloat16Storage", "torch ShortStorage"), 2),
    **dict.fromkeys(("torch ByteStorage", "torch CharStorage", "torch BoolStorage"), 1),
    "torch ComplexDoubleStorage": 16,
}
DICTIONARY = "collections OrderedDict"
TENSOR = "torch._utils _rebuild_tensor_v2"
PARAMETER = "torch._utils _rebuild_parameter"
SIZE = "torch Size"
KNOWN = {*STORAGES, DICTIONARY, TENSOR, PARAMETER, SIZE}
# Objects that lie beside published weights: neither made nor read, `Inert` stands for them.
INERT = {"models.utils.config BaseConfig"}  # pytorch_GAN_zoo's settings
FOREIGN = {  # what other names stand for
    "torch._utils _rebuild_qtensor": "a quantised tensor",
    "torch._utils _rebuild_sparse_tensor": "a sparse tensor",
    "torch._utils _rebuild_meta_tensor_no_storage": "a tensor without numbers (on the meta device)",
}

CONSTANTS: dict[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
LITERALS = {  # steps that carry their value
    *("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINSTRING"),
}
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}

Step = tuple[pickletools.OpcodeInfo, Any, int | None]


class PickleError(Exception):
    """A pickle that is refused. The message goes on after the file's name: "holds …"."""


@dataclass(frozen=True, slots=True)
class Import:
    """A name that the program asks for: "module name"."""

    name: str


@dataclass(frozen=True, slots=True)
class Storage:
    """A run of numbers that the file keeps under `key`."""

    key: str
    kind: str
    count: int

    @property
    def nbytes(self) -> int:
        return self.count * STORAGES[self.kind]


@dataclass(frozen=True, slots=True)
class Described:
    """A tensor that lies within its storage."""

    storage: Storage
    shape: tuple[int, ...]


class Inert:
    """Stands for an object that is not made: without methods, whatever it is given."""


class Trace:
    """Follows the pickles of one file; `storages` are those they spoke of, by key."""

    def __init__(self) -> None:
        self.storages: dict[str, Storage] = {}
        self._steps = 0
        self._calls = 0

    def follow(self, stream: BinaryIO) -> Any:
        """What the next pickle of `stream` describes. Raises `PickleError`."""
        try:
            return self._follow(pickletools.genops(stream))
        # What steps in an impossible order end in.
        except (ValueError, IndexError, KeyError, TypeError, AttributeError):
            raise PickleError("is truncated or broken: its pickle makes no sense") from None

    def _follow(self, steps: Iterator[Step]) -> Any:
        stack: list[Any] = []
        below: list[list[Any]] = []  # the stacks under each mark
        memo: dict[int, Any] = {}
        for step, argument, _ in steps:
            self._steps += 1
            if self._steps > MAX_STEPS:
                raise PickleError(f"has a pickle of more than {MAX_STEPS:,} steps")
            name = step.name
            if name in LITERALS:
                stack.append(argument)
            elif name in CONSTANTS:
                stack.append(CONSTANTS[name])
            elif name in TUPLES:
                items = tuple(stack[-TUPLES[name] :])
                if len(items) < TUPLES[name]:
                    raise IndexError
                stack[-len(items) :] = [items]
            elif name in ("BINPUT", "LONG_BINPUT"):
                memo[argument] = stack[-1]
            elif name in ("BINGET", "LONG_BINGET"):
                stack.append(memo[argument])
            elif name == "EMPTY_DICT":
                stack.append({})
            elif name == "EMPTY_LIST":
                stack.append([])
            elif name == "MARK":
                below.append(stack)
                stack = []
            elif name in ("TUPLE", "APPENDS", "SETITEMS"):
                items, stack = stack, below.pop()
                if name == "TUPLE":
                    stack.append(tuple(items))
                elif name == "APPENDS":
                    _list(stack[-1]).extend(items)
                else:
                    _set(stack[-1], items)
            elif name == "APPEND":
                item = stack.pop()
                _list(stack[-1]).append(item)
            elif name == "SETITEM":
                items = [stack.pop(), stack.pop()][::-1]
                _set(stack[-1], items)
            elif name == "GLOBAL":
                if argument not in KNOWN and argument not in INERT:
                    raise PickleError(_foreign(argument, steps))
                stack.append(Import(argument))
            elif name == "BINPERSID":
                stack.append(self._storage(*stack.pop()))
            elif name == "REDUCE":
                arguments, called = stack.pop(), stack.pop()
                stack.append(self._call(called, arguments))
            elif name == "NEWOBJ":
                arguments, called = stack.pop(), stack.pop()
                if type(called) is not Import or called.name not in INERT or arguments != ():
                    raise TypeError
                stack.append(Inert())
            elif name == "BUILD":
                # What a dictionary of tensors knows beside them: its modules' versions. And what
                # an object that is not made would have held.
                state, target = stack.pop(), stack[-1]
                if type(state) is not dict or type(target) not in (dict, Inert):
                    raise TypeError
            elif name == "STOP":
                return stack.pop()
            elif name != "PROTO" or argument != 2:
                raise PickleError(
                    f"has a pickle that torch.save does not write (it uses {name}); expected a "
                    "state_dict saved by torch.save"
                )
        raise ValueError

    def _call(self, called: Any, arguments: Any) -> Any:
        self._calls += 1
        if self._calls > MAX_CALLS:
            raise PickleError(f"has a pickle of more than {MAX_CALLS:,} calls")
        if type(called) is not Import or type(arguments) is not tuple:
            raise TypeError
        if called.name == DICTIONARY and not arguments:
            return {}
        if called.name == TENSOR:
            return _tensor(*arguments)
        if called.name == PARAMETER:
            tensor, grad, hooks = arguments
            if type(tensor) is Described and type(grad) is bool and hooks == {}:
                return tensor
        if called.name == SIZE:
            (shape,) = arguments
            return _sizes(shape)
        raise TypeError

    def _storage(
        self, word: Any, kind: Any, key: Any, place: Any, count: Any, view: Any = None
    ) -> Storage:
        if word != "storage" or type(kind) is not Import or kind.name not in STORAGES:
            raise TypeError
        if type(key) is not str or type(place) is not str or view is not None:
            raise TypeError
        (count,) = _sizes((count,))
        storage = self.storages.setdefault(key, Storage(key, kind.name, count))
        if storage != Storage(key, kind.name, count):
            raise PickleError(f"gives the numbers {key[:40]!r} two different descriptions")
        return storage


def _list(value: Any) -> list[Any]:
    if type(value) is not list:
        raise TypeError
    return value


def _set(target: Any, items: list[Any]) -> None:
    """Sets key, value, key, value, …; keys are words and numbers, so that hashing them is cheap."""
    keys, values = items[::2], items[1::2]
    if type(target) is not dict or any(type(key) not in (str, int) for key in keys):
        raise TypeError
    target.update(zip(keys, values, strict=True))


def _sizes(values: Any) -> tuple[int, ...]:
    if type(values) is not tuple or len(values) > MAX_AXES:
        raise TypeError
    if any(type(value) is not int or not 0 <= value < MAX_NUMBER for value in values):
        raise ValueError
    return values


def _tensor(
    storage: Any, offset: Any, shape: Any, strides: Any, grad: Any, hooks: Any
) -> Described:
    shape, strides, (offset,) = _sizes(shape), _sizes(strides), _sizes((offset,))
    if type(storage) is not Storage or type(grad) is not bool or hooks != {}:
        raise TypeError
    steps = [(size - 1) * stride for size, stride in zip(shape, strides, strict=True)]
    numbers = prod(shape)
    if numbers > storage.count or (numbers and offset + sum(steps) >= storage.count):
        raise PickleError(
            f"has a tensor of {numbers:,} numbers that claims more than the "
            f"{storage.count:,} it is stored in"
        )
    return Described(storage, shape)


def _foreign(name: str, rest: Iterator[Step]) -> str:
    """Says what a pickle holds that is no plain tensor."""
    if name in FOREIGN:
        return f"holds {FOREIGN[name]}; expected plain ones"
    try:
        some = itertools.islice(rest, MAX_STEPS)
        later = [argument for step, argument, _ in some if step.name == "GLOBAL"]
    except ValueError:
        later = []
    shown = name.replace(" ", ".")[:80]
    if any(other.startswith("torch.nn.modules.") for other in itertools.chain([name], later)):
        return (
            f"holds a whole pickled network ({shown}), which would run its code; expected "
            "network.state_dict(), saved by torch.save"
        )
    return (
        f"holds {shown}, which is no tensor and would run code; expected a state_dict saved by "
        "torch.save"
    )
