"""The keys of an embedded installation."""

import threading

from cryptography.fernet import Fernet

from hemi.lib import keyfile


def test_are_made_once_private_and_with_a_warning(tmp_path, capsys):
    path = tmp_path / "var" / "keys.env"
    first = keyfile.load(path)
    assert Fernet(first["FIELD_ENCRYPTION_KEY"])
    assert len(first["SECRET_KEY"]) >= 50
    assert path.stat().st_mode & 0o777 == 0o600
    assert "Back this file up" in capsys.readouterr().err
    assert "part of every backup" in path.read_text()
    assert keyfile.load(path) == first
    assert not capsys.readouterr().err
    assert [child.name for child in path.parent.iterdir()] == ["keys.env"]


def test_two_first_starts_at_once_have_the_same_keys(tmp_path):
    start, loaded = threading.Barrier(8), []

    def begin():
        start.wait()
        loaded.append(keyfile.load(tmp_path / "keys.env"))

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loaded) == 8
    assert all(keys == loaded[0] for keys in loaded)
    assert [child.name for child in tmp_path.iterdir()] == ["keys.env"]
