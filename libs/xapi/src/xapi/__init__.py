"""The xAPI language as types and pure functions."""
