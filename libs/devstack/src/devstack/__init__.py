"""A real mongod, a real Kafka and all services on one machine, without containers."""
