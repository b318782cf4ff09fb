"""The first user of a new installation."""

import getpass
import sys

import pytest
from django.contrib.auth.models import User

from hemi import first_user

pytestmark = pytest.mark.django_db


def test_takes_the_one_from_the_environment(monkeypatch, capsys) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_USERNAME", "ada")
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "correct horse battery")
    first_user.make_if_none()
    user = User.objects.get()
    assert user.username == "ada"
    assert user.is_superuser
    assert user.check_password("correct horse battery")
    assert "correct" not in capsys.readouterr().out


def test_makes_one_up_where_nobody_can_be_asked(monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False)
    first_user.make_if_none()
    password = capsys.readouterr().out.split("password ")[1].split()[0]
    assert User.objects.get(username="admin").check_password(password)


def test_asks_on_a_terminal_until_the_password_is_good(monkeypatch, capsys) -> None:
    answers = iter(["short", "long-enough-1", "something else", "long-enough-1", "long-enough-1"])
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda prompt: "grace")
    monkeypatch.setattr(getpass, "getpass", lambda prompt: next(answers))
    first_user.make_if_none()
    assert User.objects.get().username == "grace"
    assert User.objects.get().check_password("long-enough-1")
    told = capsys.readouterr().out
    assert "too short" in told
    assert "not the same" in told


def test_leaves_an_installation_with_users_alone(monkeypatch, capsys) -> None:
    User.objects.create_user("there already")
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "correct horse battery")
    first_user.make_if_none()
    assert User.objects.count() == 1
    assert not User.objects.get().is_superuser
