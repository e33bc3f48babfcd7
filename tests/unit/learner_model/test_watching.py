"""A video is one act, in however many pieces it was watched: what it adds to interests, exposures and what is done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st
from learner_model import Evidence, EvidenceKind, LearnerState, view
from learner_model.folded import pack
from learner_model.folder import Folder
from learner_model.outcomes import is_done
from learner_model.reading import fold_all
from learner_model.watching import KEPT
from msgspec.structs import replace

START = datetime(2026, 1, 5, 9, tzinfo=UTC)


def piece(minutes: float, watched: float | None, activity: str = "video", completion: bool | None = None) -> Evidence:
    at = START + timedelta(minutes=minutes)
    return Evidence(
        statement_id=f"{activity}-{minutes:012.4f}",
        at=at,
        stored=at,
        activity_id=activity,
        verb_id="v",
        kind=EvidenceKind.EXPOSURE,
        competencies=(("c/cells", 1.0),),
        completion=completion,
        tags=("biology",),
        watched=watched,
    )


def score(state: LearnerState) -> float:
    return state.interests["biology"].score


def test_many_pieces_are_worth_what_one_is() -> None:
    one = fold_all([piece(50, 1.0)])
    many = fold_all([piece(0, 0.0), *(piece(n / 2, n / 100) for n in range(1, 101))])
    assert abs(score(many) - score(one)) < 0.05  # what fades in 50 minutes
    assert one.competencies["c/cells"].exposures == many.competencies["c/cells"].exposures == 1
    assert score(one) == 1.7, "taken up, and finished"


def test_it_counts_as_finished_by_the_share_that_is_new() -> None:
    assert score(fold_all([piece(0, 0.4)])) == 1.28
    assert score(fold_all([piece(0, 0.4), piece(0.001, 0.4), piece(0.002, 0.2)])) == 1.28
    assert score(fold_all([piece(0, 0.4), piece(0.001, 1.0), piece(0.002, 1.0)])) == 1.7


def test_another_day_it_is_taken_up_again() -> None:
    first, day = [piece(0, 0.5), piece(10, 0.5)], 24 * 60
    again = fold_all([*first, piece(10 + day, 0.0), piece(11 + day, 1.0)])
    assert again.competencies["c/cells"].exposures == 2
    as_of = START + timedelta(days=1)
    assert view(again, as_of).interests[0].strength > view(fold_all(first), as_of).interests[0].strength


def test_a_video_is_neither_right_nor_wrong() -> None:
    answered = replace(piece(0, None, "question"), kind=EvidenceKind.RESPONSE, correctness=1.0)
    alone, watched = fold_all([answered]), fold_all([answered, piece(5, 0.1), piece(6, 0.9, completion=True)])
    before, after = alone.competencies["c/cells"], watched.competencies["c/cells"]
    assert (after.mean, after.variance, after.evidence_count) == (before.mean, before.variance, before.evidence_count)
    assert is_done(watched, "video")
    assert watched.regulation.failures == 0


def test_what_a_later_piece_names_first_is_met() -> None:
    later = replace(piece(5, 0.5), competencies=(("c/cells", 1.0), ("c/leaves", 1.0)))
    assert fold_all([piece(0, 0.1), later]).competencies["c/leaves"].exposures == 1


def test_the_order_of_arrival_and_the_batches_change_nothing() -> None:
    pieces = [piece(0, 0.0), piece(3, 0.3), piece(2, 0.2, "other"), piece(2000, 0.6)]
    folder = Folder()
    whole = pack(folder.fold_all(pieces))
    assert {pack(folder.fold_all(one)) for one in permutations(pieces)} == {whole}
    folded = None
    for one in sorted(pieces, key=lambda row: row.key):
        folded = folder.fold(folded, [one])
    assert folded is not None
    assert pack(folded) == whole


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20), st.floats(0, 1)), min_size=1, max_size=60))
def test_interest_is_bounded_by_the_videos_and_so_is_what_is_kept(acts: list[tuple[int, float]]) -> None:
    state = fold_all(piece(n / 100, share, f"video-{which}") for n, (which, share) in enumerate(acts))
    videos = len({which for which, _ in acts})
    shares = [int(state.watched[at + 6 : at + 8], 16) for at in range(0, len(state.watched), 8)]
    assert len(shares) == min(len({which for which, share in acts if round(100 * share)}), KEPT)
    assert all(0 <= share <= 100 for share in shares)
    assert videos > KEPT or score(state) <= 1.7 * videos
