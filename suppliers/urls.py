"""What shoppers call directly."""

from django.urls import path

from suppliers.views import direct_questions

urlpatterns = [path("shopline/ask/", direct_questions.ask, name="shopline-ask")]
