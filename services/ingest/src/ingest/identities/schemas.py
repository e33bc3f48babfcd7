"""What crosses the wire about identities."""

from pydantic import BaseModel


class LearnerOfAgent(BaseModel):
    """Null for someone who was erased and, as the policy says, is not to come back.

    `own_learner_id`, where it is another: whose the identifier itself is, who is merged into `learner_id`.
    """

    learner_id: str | None
    own_learner_id: str | None = None


class LearnersOfAgents(BaseModel):
    """In the order of the agents that were sent."""

    items: list[LearnerOfAgent]
