"""Apache Kafka as one KRaft process from its published jars."""

from devstack.kafka.broker import KafkaBroker

__all__ = ["KafkaBroker"]
