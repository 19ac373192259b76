"""The three lists of error codes are one."""

from __future__ import annotations

import pickle

import pytest

from conftest import conformance
from everstep import _native, errors


def test_the_table_the_core_and_the_classes_agree() -> None:
    table = conformance("errors.json")
    listed = [(entry["code"], entry["retryable"]) for entry in table["errors"]]
    assert listed == _native.error_kinds()
    assert [(code, kind.retryable) for code, kind in errors.BY_CODE.items()] == listed


@pytest.mark.parametrize(
    ("code", "builtin"),
    [
        ("invalid_argument", ValueError),
        ("not_found", LookupError),
        ("not_implemented", NotImplementedError),
        ("timeout", TimeoutError),
        ("unavailable", ConnectionError),
        ("permission_denied", PermissionError),
        ("decode_failed", ValueError),
    ],
)
def test_kinds_are_the_built_ins_that_people_catch(code: str, builtin: type[Exception]) -> None:
    error = errors.from_native(code, "no", "get_workflow", "order-7")
    assert isinstance(error, builtin)
    assert isinstance(error, errors.EverstepError)
    assert (error.code, error.operation, error.instance_id) == (code, "get_workflow", "order-7")
    assert str(error) == "get_workflow: no (instance 'order-7')"


def test_an_unknown_code_is_internal_and_failures_keep_their_chain() -> None:
    failure = ("ValueError", "bad", "at 1", True, ("OSError", "disk", None, False, None))
    error = errors.from_native("of_tomorrow", "no", failure=failure)
    assert type(error) is errors.InternalError
    assert error.failure is not None
    assert [item.error_type for item in error.failure.chain()] == ["ValueError", "OSError"]
    assert error.failure.is_caused_by(OSError)
    assert error.failure.non_retryable


@pytest.mark.parametrize("kind", errors.BY_CODE.values())
def test_errors_survive_pickling(kind: type[errors.EverstepError]) -> None:
    error = pickle.loads(pickle.dumps(kind("no", operation="get_workflow", instance_id="a")))
    assert type(error) is kind
    assert (error.message, error.operation, error.instance_id) == ("no", "get_workflow", "a")
