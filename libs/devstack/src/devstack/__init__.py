"""A real mongod, a real Kafka and all Trellis services on one machine."""
