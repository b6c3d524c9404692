"""The HEALTHCHECK of the images: `python -m taskboard.probe`, for the role that the image has."""

import os
import sys
import urllib.request


def web():
    with urllib.request.urlopen("http://127.0.0.1:8000/healthz", timeout=3) as answer:
        return answer.status == 200


def celery():
    from taskboard.celery import app

    # The worker of this container, not any worker that hears the question.
    name = f"celery@{os.uname().nodename}"
    return bool(app.control.inspect(destination=[name], timeout=3).ping())


def celery_beat():
    with open("/tmp/celerybeat.pid") as file:
        os.kill(int(file.read()), 0)
    return True


if __name__ == "__main__":
    probe = {"web": web, "celery": celery, "celery-beat": celery_beat}[os.environ.get("ROLE", "web")]
    sys.exit(0 if probe() else 1)
