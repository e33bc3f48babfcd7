"""What ingest holds on a learner, as the privacy service collects it."""
