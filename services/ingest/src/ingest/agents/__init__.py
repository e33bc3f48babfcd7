"""Agents as the LRS knows them: the Person."""
