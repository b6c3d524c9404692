"""How many tasks stand where."""

from django.db.models import Count

from .models import Task

KEY = "summary"


def counts():
    numbers = dict.fromkeys(Task.State.values, 0)
    shown = Task.objects.filter(archived=False).order_by()
    numbers.update(shown.values_list("state").annotate(Count("id")))
    return numbers
