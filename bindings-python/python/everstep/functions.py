"""The decorators. A decorated function stays the function it was; what it is registered as lies beside it."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints, overload

from .errors import InvalidArgumentError
from .payload import decoder_of, encode_text

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator
    from typing import Concatenate

    from .context import WorkflowContext
    from .payload import Decoder

    WorkflowFunction = (
        Callable[Concatenate[WorkflowContext, ...], Coroutine[Any, Any, Any]]
        | Callable[Concatenate[WorkflowContext, ...], Generator[Any, Any, Any]]
    )

W = TypeVar("W", bound="WorkflowFunction")
A = TypeVar("A", bound=Callable[..., Any])

ATTRIBUTE = "__everstep__"
"""Where a decorated function keeps its definition."""


# As in `inspect`, which takes longer to import than the rest of this package.
CO_GENERATOR = 0x20
CO_COROUTINE = 0x80


def _has_flag(function: Any, flag: int) -> bool:
    return bool(function.__code__.co_flags & flag)


class Definition:
    """What a decorated function is: its kind, name and version, and how its input and output are decoded."""

    __slots__ = (
        "function",
        "has_input",
        "is_async",
        "kind",
        "latest",
        "name",
        "pinned",
        "quoted",
        "takes_context",
        "types",
        "version",
    )

    def __init__(self, kind: str, function: Callable[..., Any], name: str | None, version: str | None) -> None:
        if not callable(function) or not hasattr(function, "__code__"):
            raise InvalidArgumentError(f"@{kind} takes a function, not {type(function).__name__}")
        for label, value in (("name", name), ("version", version)):
            if value is not None and (not isinstance(value, str) or not value):
                raise InvalidArgumentError(f"{label} of @{kind} must be a str that is not empty")
        self.kind = kind
        self.function = function
        self.name: str = name if name is not None else function.__name__
        self.version = version
        self.latest = False
        self.quoted = encode_text(self.name)
        # A child that is asked for by its function runs the function's version.
        self.pinned = self.quoted if version is None else f'{self.quoted},"version":{encode_text(version)}'
        self.is_async = _has_flag(function, CO_COROUTINE)
        parameters = _positional(function)
        self.takes_context = kind == "workflow" or _wants_context(function, parameters)
        expected = parameters[1:] if self.takes_context else parameters
        if kind == "workflow":
            if not self.is_async and not _has_flag(function, CO_GENERATOR):
                raise InvalidArgumentError(f"workflow {self.name} must be an `async def` or a generator with `yield`")
            if not parameters:
                raise InvalidArgumentError(f"workflow {self.name} must take a WorkflowContext first")
        elif _has_flag(function, CO_GENERATOR):
            raise InvalidArgumentError(f"activity {self.name} must not be a generator; use `def` or `async def`")
        if len(expected) - _defaults(function) > 1:
            raise InvalidArgumentError(
                f"{kind} {self.name} must take at most one input; put several values into a dataclass"
            )
        self.has_input = bool(expected)
        self.types: tuple[Decoder | None, Decoder | None] | None = None

    def resolve(self) -> tuple[Decoder | None, Decoder | None]:
        """The decoders of input and output; annotations are looked up at the first call, and not yet compiled."""
        if self.types is None:
            names = _positional(self.function)[1 if self.takes_context else 0 :]
            given = decoder_of(_annotation(self, names[0])) if names else None
            result = _annotation(self, "return")
            if self.kind == "workflow" and not self.is_async:
                result = _returned(result)
            self.types = (given, decoder_of(result))
        return self.types

    @property
    def input(self) -> Decoder | None:
        return self.resolve()[0]

    @property
    def output(self) -> Decoder | None:
        return self.resolve()[1]


def _positional(function: Callable[..., Any]) -> tuple[str, ...]:
    code = function.__code__
    names: tuple[str, ...] = code.co_varnames[: code.co_argcount]
    return names[1:] if hasattr(function, "__self__") else names


def _defaults(function: Callable[..., Any]) -> int:
    return len(function.__defaults__ or ())


def _wants_context(function: Callable[..., Any], parameters: tuple[str, ...]) -> bool:
    if not parameters:
        return False
    first = getattr(function, "__annotations__", {}).get(parameters[0])
    text = first if isinstance(first, str) else getattr(first, "__name__", "")
    return text.rpartition(".")[2].strip("'\"") == "ActivityContext"


def _annotation(definition: Definition, name: str) -> Any:
    function = definition.function
    annotation = getattr(function, "__annotations__", {}).get(name, Any)
    if annotation is not None and not isinstance(annotation, type):
        scope = dict(getattr(function, "__globals__", {}))
        closure = getattr(function, "__closure__", None) or ()
        for variable, cell in zip(function.__code__.co_freevars, closure, strict=False):
            try:
                scope[variable] = cell.cell_contents
            except ValueError:
                continue
        try:
            # For one name alone, and for the strings within it.
            holder = SimpleNamespace(__annotations__={name: annotation})
            annotation = get_type_hints(holder, scope, scope, include_extras=True)[name]
        except Exception as error:
            raise InvalidArgumentError(
                f"the annotation {annotation!r} of {definition.kind} {definition.name} cannot be resolved: {error};"
                " import what it names outside TYPE_CHECKING and define it at module level"
            ) from error
    return annotation


def _returned(annotation: Any) -> Any:
    """What a generator's annotation says it returns."""
    import collections.abc
    import typing

    if typing.get_origin(annotation) is collections.abc.Generator:
        args = typing.get_args(annotation)
        return args[2] if len(args) == 3 else Any
    return Any


@overload
def workflow(function: W, /) -> W: ...
@overload
def workflow(*, name: str | None = None, version: str | None = None, latest: bool = False) -> Callable[[W], W]: ...
def workflow(
    function: Any = None, /, *, name: str | None = None, version: str | None = None, latest: bool = False
) -> Any:
    """Makes a workflow of an ``async def`` or a generator that takes a ``WorkflowContext`` and at most one input.

    Functions of one ``name`` with different ``version`` live side by side in one worker. Of several, ``latest`` marks
    the one that new runs use, else it is the last one that the worker is given. A run keeps the version that it began
    with to its end, also when it continues as new; one that began with a function without ``version`` keeps that.
    Raises ``InvalidArgumentError``.
    """

    def decorate(function: Any) -> Any:
        definition = Definition("workflow", function, name, version)
        definition.latest = latest
        setattr(function, ATTRIBUTE, definition)
        return function

    return decorate if function is None else decorate(function)


@overload
def activity(function: A, /) -> A: ...
@overload
def activity(*, name: str | None = None) -> Callable[[A], A]: ...
def activity(function: Any = None, /, *, name: str | None = None) -> Any:
    """Makes an activity of a ``def`` or ``async def`` that takes at most one input, after an ``ActivityContext`` if its
    first parameter is annotated as one. Raises ``InvalidArgumentError``.
    """

    def decorate(function: Any) -> Any:
        setattr(function, ATTRIBUTE, Definition("activity", function, name, None))
        return function

    return decorate if function is None else decorate(function)


def definition_of(function: object, argument: str = "function") -> Definition:
    """The definition of a decorated function. Raises ``InvalidArgumentError``."""
    definition = getattr(function, ATTRIBUTE, None)
    if not isinstance(definition, Definition):
        name = getattr(function, "__name__", None) or repr(type(function).__name__)
        raise InvalidArgumentError(
            f"{argument} must be decorated with @everstep.workflow or @everstep.activity; {name} is not"
        )
    return definition
