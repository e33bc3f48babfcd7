"""Where each service listens, and which processes there are."""

from __future__ import annotations

import pytest
from devstack.errors import StackError
from devstack.programs import all_programs, programs_of
from devstack.running import demanded_ports


def test_ports_start_at_8001_or_where_the_setting_says() -> None:
    assert demanded_ports({}) == {
        "ingest": 8001,
        "learner_profile": 8002,
        "recommendation": 8003,
        "privacy": 8004,
        "insights": 8005,
    }
    assert demanded_ports({"TRELLIS_PORT_BASE": "9100"})["insights"] == 9104


@pytest.mark.parametrize("base", ["x", "-1", "65534", "0"])
def test_a_base_that_is_no_port_is_refused_with_one_line(base: str) -> None:
    with pytest.raises(StackError, match="TRELLIS_PORT_BASE"):
        demanded_ports({"TRELLIS_PORT_BASE": base})


def test_the_relay_is_a_process_of_its_own() -> None:
    names = [program.name for program in all_programs()]
    assert len(names) == len(set(names)) == 12
    assert {"ingest", "ingest-work", "ingest-relay", "insights-work"} <= set(names)


def test_recording_alone_is_ingest_with_its_consent_view() -> None:
    assert [program.name for program in programs_of("recording")] == [
        "ingest",
        "privacy",
        "ingest-work",
        "privacy-work",
    ]
    assert programs_of("all") == all_programs()
    with pytest.raises(StackError, match="all, recording"):
        programs_of("teaching")
