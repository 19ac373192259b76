"""Logging that happens once per turn, however often the turn is replayed."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from .loop import WorkflowLoop

    _Adapter = logging.LoggerAdapter[logging.Logger]
else:
    _Adapter = logging.LoggerAdapter


class WorkflowLogger(_Adapter):
    """Adds ``workflow_instance_id`` and ``workflow_name`` to records; silent while replaying."""

    def __init__(self, loop: WorkflowLoop, instance_id: str, name: str) -> None:
        extra = {"workflow_instance_id": instance_id, "workflow_name": name}
        super().__init__(logging.getLogger("everstep.workflow"), extra)
        self._loop = loop

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - logging's name
        """Whether a record of this level would be written now."""
        return not self._loop.replaying and super().isEnabledFor(level)

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Merges what identifies the instance into the caller's ``extra``."""
        kwargs["extra"] = {**(self.extra or {}), **(kwargs.get("extra") or {})}
        return msg, kwargs
