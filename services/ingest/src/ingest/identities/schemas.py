"""What crosses the wire about identities."""

from pydantic import BaseModel


class LearnerOfAgent(BaseModel):
    learner_id: str


class LearnersOfAgents(BaseModel):
    """In the order of the agents that were sent."""

    items: list[LearnerOfAgent]
