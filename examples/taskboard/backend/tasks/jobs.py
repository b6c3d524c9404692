"""What happens beside requests: the worker carries it out, beat asks for it from time to time."""

import logging
from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from .models import Task
from .summary import KEY, counts

log = logging.getLogger(__name__)


@shared_task
def archive_done():
    """Takes tasks off the board that have been done for long."""
    before = timezone.now() - timedelta(days=settings.ARCHIVE_AFTER_DAYS)
    number = Task.objects.filter(state=Task.State.DONE, archived=False, changed__lt=before).update(archived=True)
    log.info("archived %d tasks", number)
    return number


@shared_task
def refresh_summary():
    """Counts the tasks again and keeps the numbers where the API reads them."""
    numbers = counts()
    cache.set(KEY, numbers, timeout=None)
    return numbers
