"""Statements of other Learning Record Stores, taken over with what those knew of them."""
