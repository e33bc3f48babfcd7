"""What crosses the wire about identities."""

from pydantic import BaseModel


class LearnerOfAgent(BaseModel):
    """Null for someone who was erased and, as the policy says, is not to come back."""

    learner_id: str | None


class LearnersOfAgents(BaseModel):
    """In the order of the agents that were sent."""

    items: list[LearnerOfAgent]
