"""A tenant's policy: the lawful basis of each purpose, and what holds where nothing is known."""
