#!/usr/bin/env python
"""Django's commands: migrate, runserver, makemigrations and the rest."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "taskboard.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
