"""Boards, and the tasks on them."""

from django.db import models


class Board(models.Model):
    name = models.CharField(max_length=80, unique=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self):
        return self.name


class Task(models.Model):
    class State(models.TextChoices):
        OPEN = "open"
        DOING = "doing"
        DONE = "done"

    board = models.ForeignKey(Board, on_delete=models.CASCADE, related_name="tasks")
    title = models.CharField(max_length=200)
    state = models.CharField(max_length=5, choices=State.choices, default=State.OPEN)
    due = models.DateField(null=True, blank=True)
    changed = models.DateTimeField(auto_now=True)
    archived = models.BooleanField(default=False)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["archived", "state"], name="task_shown")]
        constraints = [models.CheckConstraint(condition=~models.Q(title=""), name="task_has_a_title")]

    def __str__(self):
        return self.title
