"""How ingest forgets a learner."""
