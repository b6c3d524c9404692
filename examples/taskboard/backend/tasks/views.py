"""The JSON API of boards and tasks."""

import json
from datetime import date

from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.views import View

from .jobs import refresh_summary
from .models import Board, Task
from .summary import KEY, counts


class Refused(Exception):
    """A request that cannot be carried out, with what is wrong by field."""

    def __init__(self, errors):
        super().__init__(errors)
        self.errors = errors


class Api(View):
    """A view whose refusals are answers."""

    def dispatch(self, request, *args, **kwargs):
        try:
            return super().dispatch(request, *args, **kwargs)
        except Refused as refused:
            return JsonResponse({"errors": refused.errors}, status=400)
        except ValidationError as error:
            return JsonResponse({"errors": error.message_dict}, status=400)


class Boards(Api):
    def get(self, request):
        return JsonResponse({"boards": [{"id": board.id, "name": board.name} for board in Board.objects.all()]})


class Tasks(Api):
    def get(self, request):
        tasks = Task.objects.filter(archived=False).select_related("board")
        state = request.GET.get("state")
        if state is not None:
            if state not in Task.State.values:
                raise Refused({"state": [f"one of {', '.join(Task.State.values)}"]})
            tasks = tasks.filter(state=state)
        return JsonResponse({"tasks": [shown(task) for task in tasks]})

    def post(self, request):
        fields = body(request)
        board, _ = Board.objects.get_or_create(name=fields.pop("board", "General"))
        task = changed(Task(board=board), fields)
        return JsonResponse(shown(task), status=201)


class OneTask(Api):
    def get(self, request, number):
        return JsonResponse(shown(get_object_or_404(Task, pk=number)))

    def patch(self, request, number):
        task = get_object_or_404(Task, pk=number)
        return JsonResponse(shown(changed(task, body(request))))

    def delete(self, request, number):
        get_object_or_404(Task, pk=number).delete()
        refresh_summary.delay()
        return HttpResponse(status=204)


class Summary(Api):
    def get(self, request):
        """The worker's numbers if it has any, counted here otherwise."""
        kept = cache.get(KEY)
        return JsonResponse({"counts": counts() if kept is None else kept, "by": "request" if kept is None else "worker"})


def body(request):
    try:
        fields = json.loads(request.body)
    except ValueError:
        raise Refused({"body": ["not JSON"]}) from None
    if not isinstance(fields, dict):
        raise Refused({"body": ["not an object"]})
    return fields


def changed(task, fields):
    unknown = fields.keys() - {"title", "state", "due"}
    if unknown:
        raise Refused({name: ["unknown field"] for name in sorted(unknown)})
    if fields.get("due"):
        try:
            fields["due"] = date.fromisoformat(fields["due"])
        except (TypeError, ValueError):
            raise Refused({"due": ["a date such as 2024-02-29"]}) from None
    for name, value in fields.items():
        setattr(task, name, value)
    task.full_clean()
    task.save()
    refresh_summary.delay()
    return task


def shown(task):
    return {
        "id": task.id,
        "board": task.board.name,
        "title": task.title,
        "state": task.state,
        "due": task.due and task.due.isoformat(),
    }
