from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import IntegrityError
from django.utils import timezone

from tasks.jobs import archive_done, refresh_summary
from tasks.models import Task

pytestmark = pytest.mark.django_db


def test_what_is_done_for_long_is_archived(board, settings):
    settings.ARCHIVE_AFTER_DAYS = 14
    old, young, still_open = (
        Task.objects.create(board=board, title=title, state=state)
        for title, state in [("old", "done"), ("young", "done"), ("open", "open")]
    )
    long_ago = timezone.now() - timedelta(days=15)
    Task.objects.filter(pk__in=[old.pk, still_open.pk]).update(changed=long_ago)
    assert archive_done() == 1
    assert list(Task.objects.filter(archived=True)) == [old]


def test_the_summary_is_the_workers_once_it_has_counted(client, board):
    Task.objects.create(board=board, title="Sow", state="doing")
    assert client.get("/api/v1/summary/").json() == {"counts": {"open": 0, "doing": 1, "done": 0}, "by": "request"}
    refresh_summary()
    assert cache.get("summary") == {"open": 0, "doing": 1, "done": 0}
    assert client.get("/api/v1/summary/").json()["by"] == "worker"


def test_the_database_itself_refuses_a_task_without_a_title(board):
    with pytest.raises(IntegrityError):
        Task.objects.create(board=board, title="")
