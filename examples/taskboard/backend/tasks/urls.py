from django.urls import path

from . import views

urlpatterns = [
    path("boards/", views.Boards.as_view()),
    path("tasks/", views.Tasks.as_view()),
    path("tasks/<int:number>/", views.OneTask.as_view()),
    path("summary/", views.Summary.as_view()),
]
