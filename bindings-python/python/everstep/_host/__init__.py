"""How tasks run in Python. Private: everything public is re-exported by ``everstep``."""
