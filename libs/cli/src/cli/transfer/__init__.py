"""Statements in and out: from another LRS, from a file, to a file. Words and progress bars are elsewhere."""
