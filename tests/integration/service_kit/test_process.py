"""`python -m <service> <role>` as an operator meets it: one line where it fails, a clean end at a signal."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from typing import Any

import httpx2
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.support.ports import free_port


@pytest.fixture
def environment(mongodb_url: str, kafka_bootstrap: str, namespace: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TRELLIS_", "OTEL_"))}
    return kept | {
        "TRELLIS_MONGODB_URL": mongodb_url,
        "TRELLIS_KAFKA_BOOTSTRAP": kafka_bootstrap,
        "TRELLIS_KEY_PROVIDER": "none",
        "TRELLIS_NAMESPACE": namespace,
        "TRELLIS_PORT": str(free_port()),
    }


async def start(role: str, environment: dict[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "privacy", role, env=environment, stderr=asyncio.subprocess.PIPE
    )


async def run(role: str, environment: dict[str, str]) -> tuple[int | None, list[str]]:
    """The status and the lines on standard error."""
    process = await start(role, environment)
    _, errors = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, errors.decode().splitlines()


async def test_a_wrong_setting(environment: dict[str, str]) -> None:
    status, lines = await run("init", environment | {"TRELLIS_PORT": "high"})
    assert status == 1
    assert len(lines) == 1
    assert "TRELLIS_PORT" in lines[0]


async def test_kafka_away(environment: dict[str, str]) -> None:
    status, lines = await run("init", environment | {"TRELLIS_KAFKA_BOOTSTRAP": f"127.0.0.1:{free_port()}"})
    assert status == 1
    assert len(lines) == 1
    assert json.loads(lines[0])["level"] == "CRITICAL"


async def test_another_number_of_partitions_stops_a_worker_with_one_line(environment: dict[str, str]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=environment["TRELLIS_KAFKA_BOOTSTRAP"])
    await admin.start()
    await admin.create_topics([NewTopic(f"{environment['TRELLIS_NAMESPACE']}privacy.receipts.v1", 5, 1)])
    await admin.close()
    status, lines = await run("work", environment)
    assert status == 1
    [line] = [json.loads(text) for text in lines if json.loads(text)["level"] == "CRITICAL"]
    assert "has 5 partitions, the contract says 12" in line["message"]
    assert "exception" not in line


async def test_init_twice_then_work_until_a_signal(environment: dict[str, str]) -> None:
    assert await run("init", environment) == (0, [])
    assert await run("init", environment) == (0, [])
    process = await start("work", environment)
    try:
        ready = await health(int(environment["TRELLIS_PORT"]), "ready")
        assert ready["checks"]["privacy.receipts"]["ok"]
        assert (await health(int(environment["TRELLIS_PORT"]), "live"))["status"] == "ok"
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 15) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def health(port: int, what: str) -> dict[str, Any]:
    """The health page, once it says 200."""
    async with asyncio.timeout(40), httpx2.AsyncClient() as client:
        while True:
            try:
                answer = await client.get(f"http://127.0.0.1:{port}/health/{what}")
            except httpx2.TransportError:
                answer = None
            if answer is not None and answer.status_code == 200:
                found: dict[str, Any] = answer.json()
                return found
            await asyncio.sleep(0.1)
