"""Who outside was given statements of whom, for what purpose; and how a recipient is told of an erasure."""
