"""A workflow with personal data, and what its file holds: nothing that can be read without the key.

python demo.py
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from dataclasses import dataclass
from pathlib import Path

import everstep
from compressing import Compressing
from encrypting import Encrypting


@dataclass
class Patient:
    name: str
    findings: list[str]


@everstep.activity
def summarize(patient: Patient) -> str:
    return f"{patient.name}: {', '.join(patient.findings)}"


@everstep.activity
def send(summary: str) -> None:
    raise ConnectionError(f"no route for {summary!r}")


@everstep.workflow
async def report(ctx: everstep.WorkflowContext, patient: Patient) -> str:
    ctx.set_custom_status({"patient": patient.name})
    summary = await ctx.call(summarize, patient)
    try:
        await ctx.call(send, summary)
    except everstep.ActivityError as error:
        # The type of an error stays clear, so that retry policies can match it; its message does not.
        return f"not sent ({error.error_type}): {summary}"
    return summary


def main() -> None:
    codec = Encrypting({"2026-11": os.urandom(32)}, "2026-11", inner=Compressing(above=256))
    patient = Patient("Ada Morgenstern", ["hay fever"])
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "workflows.db"
        with (
            everstep.Client(f"sqlite:{path}", codec=codec) as client,
            everstep.Worker(client, [report], [summarize, send]),
        ):
            handle = client.start_workflow(report, patient, instance_id="report-1")
            print("the program sees:", handle.result(timeout=30))
            print("the file holds:  ", str(handle.get().raw_output)[:60], "…")
        sqlite3.connect(path).close()
        found = any(b"Morgenstern" in file.read_bytes() for file in Path(directory).iterdir())
        print("the name is in the file:", found)


if __name__ == "__main__":
    main()
