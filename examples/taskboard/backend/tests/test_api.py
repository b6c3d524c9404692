import pytest

from tasks.models import Board, Task

pytestmark = pytest.mark.django_db


def post(client, **fields):
    return client.post("/api/v1/tasks/", fields, content_type="application/json")


def test_a_task_is_made_on_a_board_that_is_made_with_it(client, orders):
    answer = post(client, title="Water the beans", board="Garden")
    assert answer.status_code == 201
    assert answer.json() == {
        "id": answer.json()["id"],
        "board": "Garden",
        "title": "Water the beans",
        "state": "open",
        "due": None,
    }
    assert orders == ["refresh_summary"]
    assert client.get("/api/v1/boards/").json()["boards"] == [{"id": Board.objects.get().id, "name": "Garden"}]


def test_tasks_without_a_board_stand_on_the_general_one(client):
    assert post(client, title="Sleep").json()["board"] == "General"


def test_a_task_moves_and_goes(client, board):
    task = Task.objects.create(board=board, title="Weed")
    answer = client.patch(f"/api/v1/tasks/{task.id}/", {"state": "done", "due": "2024-02-29"}, content_type="application/json")
    assert (answer.json()["state"], answer.json()["due"]) == ("done", "2024-02-29")
    assert client.get(f"/api/v1/tasks/{task.id}/").json()["state"] == "done"
    assert client.delete(f"/api/v1/tasks/{task.id}/").status_code == 204
    assert client.get(f"/api/v1/tasks/{task.id}/").status_code == 404


def test_tasks_are_listed_by_state_without_archived_ones(client, board):
    Task.objects.create(board=board, title="Sow", state="doing")
    Task.objects.create(board=board, title="Dig", state="done")
    Task.objects.create(board=board, title="Plan", state="done", archived=True)
    titles = lambda query: [task["title"] for task in client.get(f"/api/v1/tasks/{query}").json()["tasks"]]  # noqa: E731
    assert titles("") == ["Sow", "Dig"]
    assert titles("?state=done") == ["Dig"]


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"title": ""}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": "x", "state": "lost"}, "state"),
        ({"title": "x", "due": "tomorrow"}, "due"),
        ({"title": "x", "due": 3}, "due"),
        ({"title": "x", "colour": "red"}, "colour"),
    ],
)
def test_what_is_wrong_is_named_by_field(client, fields, wrong):
    answer = post(client, **fields)
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [wrong]
    assert not Task.objects.exists()


@pytest.mark.parametrize("text", ["", "{", "[1]"])
def test_a_body_that_is_no_object_is_refused(client, text):
    answer = client.post("/api/v1/tasks/", text, content_type="application/json")
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["body"]


def test_an_unknown_state_is_no_filter(client):
    assert client.get("/api/v1/tasks/?state=lost").status_code == 400
