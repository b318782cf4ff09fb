"""What fails by the clock is told to staff, once, until the same goes well."""

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from integrations.models import StaffAlert

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _folders(settings, tmp_path):
    settings.BACKUP_DIR, settings.JOURNAL_DIR = tmp_path / "backups", tmp_path / "sent"
    settings.BACKUP_KEY = [Fernet.generate_key().decode()]
    (tmp_path / "a file").touch()


def is_open(kind: str) -> int:
    return StaffAlert.objects.filter(kind=kind, cleared_at=None).count()


def test_a_journal_that_cannot_be_copied(tmp_path):
    for _ in range(2):
        with pytest.raises(CommandError, match="cannot be copied"):
            call_command("backup_journal", tmp_path / "a file" / "copy")
        assert is_open("journal_copy") == 1
    call_command("backup_journal", tmp_path / "copy")
    assert is_open("journal_copy") == 0


def test_a_rehearsal_without_a_backup():
    with pytest.raises(CommandError, match="There is no backup"):
        call_command("rehearse_restore")
    assert "There is no backup" in StaffAlert.objects.get(kind="rehearsal", cleared_at=None).text


def test_one_file_that_a_person_named_is_no_news_for_staff(tmp_path):
    with pytest.raises(CommandError):
        call_command("rehearse_restore", tmp_path / "a file")
    assert is_open("rehearsal") == 0


def test_a_backup_that_cannot_be_made(settings, tmp_path):
    settings.BACKUP_DIR = tmp_path / "a file"
    with pytest.raises(CommandError):
        call_command("backup")
    assert is_open("backup") == 1
