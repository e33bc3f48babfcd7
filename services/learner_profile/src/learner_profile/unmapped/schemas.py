"""What crosses the wire."""

from pydantic import BaseModel, Field

from learner_profile.evidence.reading import Reading
from learner_profile.evidence.repository import Sample
from learner_profile.learners.wording import title_of


class CourseOut(BaseModel):
    id: str
    title: str


class UnmappedOut(BaseModel):
    """An activity that the catalog puts to no competency, neither by itself nor by what it is a part of."""

    activity: str = Field(description="IRI")
    title: str
    parents: list[str]
    evidence: int = Field(description="pieces of evidence on it")
    learners: int = Field(description="people: who has several identifiers is one")
    counts_towards: CourseOut | None = Field(
        description="the course or section that stands for a competency until it is mapped; null: interest alone"
    )

    @classmethod
    def of(cls, sample: Sample, reading: Reading | None, evidence: int, learners: int) -> "UnmappedOut":
        course = reading.course if reading is not None else None
        title = reading.activity_title if reading is not None else None
        return cls(
            activity=sample.activity,
            title=title or title_of(sample.activity, {}),
            parents=[one for one in sample.activities if one != sample.activity],
            evidence=evidence,
            learners=learners,
            counts_towards=None
            if course is None
            else CourseOut(id=course.id, title=course.title or title_of(course.id, {})),
        )
