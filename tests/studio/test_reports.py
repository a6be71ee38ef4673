"""Who may read the reports of a workspace, and how they are sent."""

import pytest

from tests.studio.conftest import HOST
from tests.studio.versions import scores, versions


@pytest.fixture
def page(tmp_path):
    """Return the page of a workspace of 12 cats and 12 dogs with two versions."""
    with versions(tmp_path / "pets") as found:
        yield found


def test_a_report_needs_its_own_key(page):
    link = scores(page, "old")["report"]
    assert link.startswith("/reports/old?key=")
    assert page.client.get(link).status_code == 200
    key = link.partition("key=")[2]
    for path in (
        "/reports/old",
        "/reports/old?key=x",
        f"/reports/old?key={page.token}",
        f"/reports/old?key={page.key}",
        f"/reports/new?key={key}",
        f"/reports/..%2fold?key={key}",
        f"/images/{page.rows()['cat/0.png']['id']}/thumb?key={key}",
    ):
        assert page.client.get(path).status_code == 401, path
    assert page.client.get("/api/state", headers={"X-Convlens-Token": key}).status_code == 401
    other = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert page.client.get(link, headers=other).status_code == 403
    assert page.client.post(link).status_code == 405
    assert page.client.get(link, headers={"Host": f"evil.{HOST}"}).status_code == 403


def test_a_report_is_sent_into_a_sandbox(page):
    found = page.client.get(scores(page, "old")["report"])
    policy = found.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts; default-src 'none';")
    assert "allow-same-origin" not in policy
    assert found.headers["x-frame-options"] == "DENY"
    # All other answers have the policy of the page.
    assert "sandbox" not in page.client.get("/").headers["content-security-policy"]


def test_a_report_that_is_a_link_out_of_the_workspace_is_not_sent(page, tmp_path):
    secret = tmp_path / "secret.html"
    secret.write_text("secret", encoding="utf-8")
    path = page.studio.runs.find("old") / "report.html"
    link = scores(page, "old")["report"]
    path.unlink()
    path.symlink_to(secret)
    found = page.client.get(link)
    assert (found.status_code, "secret" in found.text) == (404, False)
    assert scores(page, "old")["report"] is None


@pytest.mark.parametrize(
    "path", ["/api/scores?run=old", "/api/scores/images?run=old", "/api/scores/compare?run=old"]
)
def test_scores_need_the_token(page, path):
    assert page.client.get(path).status_code == 401
