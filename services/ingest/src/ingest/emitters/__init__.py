"""Real emitters: what is taken from each beyond the standard, what is refused and kept, what comes twice."""
