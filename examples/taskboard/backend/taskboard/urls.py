from django.urls import include, path

from . import health

urlpatterns = [
    path("healthz", health.alive),
    path("api/v1/health/", health.ready),
    path("api/v1/", include("tasks.urls")),
]
