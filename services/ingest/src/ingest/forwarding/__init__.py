"""Statements on to other Learning Record Stores: at least once, in order, each forwarding by itself."""
