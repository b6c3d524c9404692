import pytest
from django.core.cache import cache

from tasks import views
from tasks.models import Board


@pytest.fixture(autouse=True)
def orders(monkeypatch):
    """What would be handed to the worker; there is none while testing."""
    asked = []
    monkeypatch.setattr(views.refresh_summary, "delay", lambda: asked.append("refresh_summary"))
    return asked


@pytest.fixture(autouse=True)
def own_cache(worker_id):
    """Parallel tests share one Redis: each process has keys of its own there."""
    before = cache.key_prefix
    cache.key_prefix = f"test-{worker_id}"
    cache.delete("summary")
    yield
    cache.delete("summary")
    cache.key_prefix = before


@pytest.fixture
def board(db):
    return Board.objects.create(name="Garden")
