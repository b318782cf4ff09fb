"""Sealed streams: what goes in comes out, and nothing that was changed in between."""

import io
import os

import pytest
from cryptography.fernet import Fernet

from hemi.lib import sealed

KEY = sealed.key(Fernet.generate_key().decode())


def seal(data, key=KEY):
    target = io.BytesIO()
    with sealed.Sealer(target, key) as sealer, io.BufferedWriter(sealer) as buffer:
        buffer.write(data)
    return target.getvalue()


def unseal(data, keys=(KEY,)):
    return io.BufferedReader(sealed.Opener(io.BytesIO(data), keys)).read()


@pytest.mark.parametrize("size", [0, 1, sealed.PIECE - 1, sealed.PIECE, sealed.PIECE + 1, 5 * sealed.PIECE + 7])
def test_every_size_comes_back(size):
    data = os.urandom(size)
    assert unseal(seal(data)) == data
    assert len(data) < 16 or data[:100] not in seal(data)  # a few bytes stand in any file, by chance


def test_the_same_twice_is_not_the_same():
    assert seal(b"text") != seal(b"text")


def pieces(data):
    head = len(sealed.MAGIC) + 24
    step = sealed.PIECE + 16
    return [data[:head], *(data[at : at + step] for at in range(head, len(data), step))]


def _changed(parts):
    parts[2] = parts[2][:50] + bytes([parts[2][50] ^ 1]) + parts[2][51:]


def _of_the_head(parts):
    parts[0] = parts[0][:-1] + bytes([parts[0][-1] ^ 1])


TRICKS = {
    "a bit": _changed,
    "the salt": _of_the_head,
    "cut after a piece": lambda parts: parts.pop(),
    "cut in a piece": lambda parts: parts.append(parts.pop()[:-1]),
    "swapped": lambda parts: parts.insert(1, parts.pop(2)),
    "twice": lambda parts: parts.insert(1, parts[1]),
    "left out": lambda parts: parts.pop(1),
    "more": lambda parts: parts.append(b"x" * 100),
    "head only": lambda parts: parts.__delitem__(slice(1, None)),
}


@pytest.mark.parametrize("trick", TRICKS.values(), ids=TRICKS)
def test_whatever_was_changed_is_refused(trick):
    parts = pieces(seal(os.urandom(3 * sealed.PIECE + 5)))
    assert len(parts) == 5
    trick(parts)
    with pytest.raises(sealed.Broken, match="changed or cut"):
        unseal(b"".join(parts))


def test_a_wrong_key_is_told_from_damage_and_any_of_several_opens():
    other = sealed.key(Fernet.generate_key().decode())
    with pytest.raises(sealed.Broken, match="None of the keys"):
        unseal(seal(b"text"), [other])
    assert unseal(seal(b"text"), [other, KEY]) == b"text"


@pytest.mark.parametrize("text", ["", "short", "x" * 44, "ü" * 44])
def test_what_is_no_key_is_refused(text):
    with pytest.raises(ValueError, match="it "):
        sealed.key(text)
