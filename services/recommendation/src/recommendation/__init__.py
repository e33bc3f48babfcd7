"""Catalog and learner state into what next, and why."""
