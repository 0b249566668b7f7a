"""The wire contract as Python modules, generated from ``proto/`` by ``generate.py``."""
