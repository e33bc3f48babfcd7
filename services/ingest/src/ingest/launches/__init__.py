"""Launches: what a browser may hold in the place of a secret."""
