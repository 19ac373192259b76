"""What an activity may know of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..activities import ActivityContext as EverstepContext
    from .propagation import PropagatedHistory

    Activity = Callable[..., Any]


class ActivityContext:
    """One attempt of an activity, as the inner context of Dapr's SDK has it."""

    def __init__(self, context: EverstepContext) -> None:
        self._context = context

    @property
    def orchestration_id(self) -> str:
        """The workflow instance that called."""
        return self._context.instance_id

    @property
    def task_id(self) -> int:
        """Dapr's number of the call in its run."""
        return self._context.task_id

    @property
    def task_execution_id(self) -> str:
        """The same for all attempts of one call, and for no other call."""
        return self._context.task_key

    def get_propagated_history(self) -> PropagatedHistory | None:
        """The history that the workflow handed down."""
        return None


class WorkflowActivityContext:
    """One attempt of an activity: the first argument of every activity function."""

    def __init__(self, ctx: ActivityContext) -> None:
        self._inner = ctx

    @property
    def workflow_id(self) -> str:
        """The workflow instance that called."""
        return self._inner.orchestration_id

    @property
    def task_id(self) -> int:
        """Dapr's number of the call in its run."""
        return self._inner.task_id

    def get_inner_context(self) -> ActivityContext:
        """The same, with ``task_execution_id``: a key to do something once with."""
        return self._inner

    def get_propagated_history(self) -> PropagatedHistory | None:
        """The history that the workflow handed down; everstep hands none down yet."""
        return self._inner.get_propagated_history()
