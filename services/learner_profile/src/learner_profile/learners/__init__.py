"""Learners' states: folded on, built anew, published, shown."""
