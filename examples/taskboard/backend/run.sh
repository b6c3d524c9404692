#!/bin/sh
# Starts what the image is for: one of web, celery, celery-beat; or `migrate`.
set -eu

case "${1:-$ROLE}" in
  web)
    if [ "${MIGRATE_ON_START:-0}" = 1 ]; then python manage.py migrate --noinput; fi
    exec gunicorn taskboard.wsgi --bind 0.0.0.0:8000 --workers "${WEB_WORKERS:-2}" --worker-tmp-dir /dev/shm --access-logfile -
    ;;
  celery)
    exec celery --app taskboard worker --loglevel info --concurrency "${CELERY_WORKERS:-2}"
    ;;
  celery-beat)
    # The files of an earlier life of the container would keep it from starting.
    rm -f /tmp/celerybeat.pid
    exec celery --app taskboard beat --loglevel info --pidfile /tmp/celerybeat.pid --schedule /tmp/celerybeat-schedule
    ;;
  migrate)
    exec python manage.py migrate --noinput
    ;;
  *)
    exec "$@"
    ;;
esac
