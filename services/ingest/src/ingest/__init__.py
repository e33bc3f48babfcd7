"""The Learning Record Store: xAPI over HTTP, stored, relayed to Kafka."""
