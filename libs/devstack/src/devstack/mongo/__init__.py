"""MongoDB as a single-node replica set from the mongod of a PyPI package."""

from devstack.mongo.server import MongoServer

__all__ = ["MongoServer"]
