"""Keys: who holds them, how a service comes by those it needs, and the sealer that uses them.

See `docs/guides/keys.md`.
"""
