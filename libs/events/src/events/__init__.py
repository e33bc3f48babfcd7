"""Messages that cross Kafka.

`topics` names every topic with its owner and payload, `payloads` holds the payloads, `envelope` what stands around
them,
`producer` and `consumer` the two ends, `dead_letters` the place for what cannot be handled. Nothing here knows MongoDB:
a consumer keeps its positions through the `Positions` port.
"""
