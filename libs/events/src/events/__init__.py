"""Messages that cross Kafka: envelope, topics, producer, batch consumer, dead letters."""
