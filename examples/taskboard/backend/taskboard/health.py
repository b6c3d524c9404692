"""Two questions of those who watch: is the process alive, and can it do its work."""

import logging

from django.core.cache import cache
from django.db import connection
from django.http import JsonResponse
from django.views.decorators.http import require_GET

log = logging.getLogger(__name__)


@require_GET
def alive(request):
    """Answers as long as the process does: a restart would not help a database that is away."""
    return JsonResponse({"status": "ok"})


@require_GET
def ready(request):
    """200 if database and Redis answer, else 503 with the one that does not."""
    checks = {"database": _check(_database), "redis": _check(_redis)}
    healthy = all(state == "ok" for state in checks.values())
    return JsonResponse({"status": "ok" if healthy else "unavailable", "checks": checks}, status=200 if healthy else 503)


def _check(probe):
    try:
        probe()
    except Exception:  # What went wrong is for the log; the caller learns only which part it was.
        log.exception("a health check failed")
        return "unavailable"
    return "ok"


def _database():
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _redis():
    cache.set("health", "ok", timeout=5)
    if cache.get("health") != "ok":
        raise RuntimeError("Redis forgot what it was told")
