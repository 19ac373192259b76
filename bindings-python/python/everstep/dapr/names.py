"""What a function is registered as."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_ALTERNATE = "_dapr_alternate_name"
_REGISTERED = "_everstep_dapr_name"


def _home(function: Callable[..., Any]) -> Any:
    # A bound method takes no attributes; its function does.
    return getattr(function, "__func__", function)


def plain_name(function: Callable[..., Any]) -> str:
    """The function's own name. Raises ``ValueError`` where it has none."""
    name: str | None = getattr(function, "__name__", None)
    if not name or name == "<lambda>":
        raise ValueError("this function has no name of its own; register it with one")
    return name


def alternate_name_of(function: Callable[..., Any]) -> str | None:
    """The name that ``alternate_name`` has given it."""
    return getattr(_home(function), _ALTERNATE, None)


def name_of(function: Callable[..., Any] | str) -> str:
    """The name to ask for: as it was registered last, else its own. Raises ``ValueError`` where it has none."""
    if isinstance(function, str):
        return function
    home = _home(function)
    return getattr(home, _REGISTERED, None) or getattr(home, _ALTERNATE, None) or plain_name(function)


def remember(function: Callable[..., Any], name: str, alternate: bool = False) -> None:
    """Writes a name on a function."""
    setattr(_home(function), _ALTERNATE if alternate else _REGISTERED, name)
