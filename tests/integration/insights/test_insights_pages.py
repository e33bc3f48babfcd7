"""The pages over HTTP: signing in and out, headers, refusals."""

from __future__ import annotations

import pytest

from tests.integration.insights.house import House, row


async def sign_in(house: House, token: str, next_: str = "/") -> tuple[int, str]:
    answer = await house.http.post("/sign-in", data={"token": token, "next": next_})
    return answer.status_code, answer.headers.get("set-cookie", "")


@pytest.mark.parametrize("path", ["/", "/pages/nation?as_of=2026-01-01"])
async def test_whoever_is_not_signed_in_is_led_to_the_form_and_back(house: House, path: str) -> None:
    answer = await house.http.get(path)
    assert answer.status_code == 303
    form = await house.http.get(answer.headers["location"])
    assert f'name="next" value="{path}"' in form.text


async def test_the_cookie_is_for_this_site_and_no_script(house: House) -> None:
    status, cookie = await sign_in(house, house.tokens.make("authority", tenant=house.tenant))
    assert status == 303
    assert "httponly" in cookie.lower()
    assert "samesite=strict" in cookie.lower()


async def test_a_wrong_token_and_a_wrong_role_are_refused(house: House) -> None:
    assert (await sign_in(house, "nonsense"))[0] == 401
    assert (await sign_in(house, house.tokens.make("learner", tenant=house.tenant)))[0] == 403


async def test_an_expired_session_is_said_and_forgotten(house: House) -> None:
    house.http.cookies.set("trellis_token", house.tokens.make("authority", tenant=house.tenant, ttl_seconds=-5))
    answer = await house.http.get("/")
    assert (answer.status_code, "Sign in again" in answer.text) == (401, True)
    assert 'trellis_token=""' in answer.headers["set-cookie"]


async def test_an_authorization_header_is_enough_and_a_wrong_one_is_401(house: House) -> None:
    await house.roster([row(f"p{i}", "<b>7b</b>") for i in range(12)])
    page = await house.get("/", "authority")
    assert page.status_code == 200
    assert "&lt;b&gt;7b&lt;/b&gt;" in page.text
    assert "<b>7b</b>" not in page.text
    assert (await house.http.get("/", headers={"Authorization": "Bearer nonsense"})).status_code == 401
    assert (await house.get("/", "learner")).status_code == 403


async def test_a_page_is_one_file_under_a_strict_policy(house: House) -> None:
    page = await house.get("/pages/nation", "authority")
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert page.headers["cache-control"] == "no-store"
    assert "<script" not in page.text
    assert "http://" not in page.text
    assert "https://" not in page.text


async def test_a_problem_is_a_page_with_its_status(house: House) -> None:
    assert (await house.get("/pages/nowhere", "authority")).status_code == 404
    assert (await house.get("/pages/nation", "authority", as_of="soon")).status_code == 400
    assert (await house.get("/pages/nation", "teacher")).status_code == 403


async def test_signing_out_removes_the_cookie(house: House) -> None:
    house.http.cookies.set("trellis_token", house.tokens.make("authority", tenant=house.tenant))
    answer = await house.http.post("/sign-out")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert 'trellis_token=""' in answer.headers["set-cookie"]
