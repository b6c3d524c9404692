import pytest
from django.db import connection

from taskboard import health


def test_alive_asks_nobody(client):
    assert client.get("/healthz").json() == {"status": "ok"}


@pytest.mark.django_db
def test_ready_asks_database_and_redis(client):
    assert client.get("/api/v1/health/").json() == {"status": "ok", "checks": {"database": "ok", "redis": "ok"}}


@pytest.mark.django_db
def test_the_part_that_is_away_is_named(client, monkeypatch):
    def refuse():
        raise OSError("nobody listens")

    monkeypatch.setattr(health, "_redis", refuse)
    answer = client.get("/api/v1/health/")
    assert answer.status_code == 503
    assert answer.json()["checks"] == {"database": "ok", "redis": "unavailable"}


@pytest.mark.django_db
def test_the_tests_run_against_postgresql():
    assert connection.vendor == "postgresql"
