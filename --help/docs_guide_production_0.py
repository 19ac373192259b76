




































import subprocess
import sys

import everstep

with subprocess.Popen([sys.executable, "service.py"], stdout=subprocess.PIPE, text=True) as service:
    assert service.stdout is not None
    print(service.stdout.readline(), end="")
    service.terminate()
print("ended with", service.returncode)















































import sqlite3


def backup(path: str, copy: str) -> None:
    source, target = sqlite3.connect(path), sqlite3.connect(copy)
    source.backup(target)
    source.close()
    target.close()


backup("service.db", "backup.db")
with everstep.Client("sqlite:backup.db") as client:
    print(client.get_workflow("first").name)













from datetime import datetime, timedelta, timezone

with everstep.Client("sqlite:backup.db") as client:
    month_ago = datetime.now(timezone.utc) - timedelta(days=30)
    print(client.purge_workflows(created_to=month_ago, statuses=["COMPLETED", "TERMINATED"]))
