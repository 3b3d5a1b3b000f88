"""Who may do what with a run, and polls: the rules, without a page."""

from __future__ import annotations

import pytest

from wgan.runs.access import MAX_ANSWERS, MAX_WORDS, Access, AccessError, Poll


def test_only_the_secret_makes_an_owner():
    room = Access("secret")
    assert room.is_owner("secret")
    for wrong in (None, "", "Secret", "secret ", "secre", "é", "x" * 10_000):
        assert not room.is_owner(wrong)
        assert not room.may_control(wrong)
    assert room.may_control("secret")
    room.open = True
    assert room.may_control(None)
    assert not room.is_owner(None)


def test_a_run_without_a_secret_is_nobodys_and_open():
    room = Access()
    assert room.may_control(None)
    assert not room.is_owner(None)
    assert not room.is_owner("")


def test_the_rules_come_back_from_disk():
    room = Access("secret")
    room.open, room.locked = True, True
    again = Access.from_dict(room.to_dict())
    assert again.is_owner("secret")
    assert not again.is_owner("another")
    assert (again.open, again.locked, again.demonstration) == (True, True, False)
    assert "secret" not in str(room.to_dict().values())
    for missing in ("secret_hash", "open", "locked"):
        with pytest.raises(KeyError):
            Access.from_dict({k: v for k, v in room.to_dict().items() if k != missing})


def test_one_vote_a_voter():
    room = Access()
    assert room.poll is None
    room.ask(" Which \n one? ", ["a", " b ", ""])
    room.vote("ann", 1)
    with pytest.raises(AccessError, match="voted already"):
        room.vote("ann", 0)
    room.vote("bob", 1)
    assert room.poll == Poll("Which one?", ("a", "b"), (0, 2))
    assert (room.voted("ann"), room.voted("eve")) == (1, None)
    for answer in (-1, 2):
        with pytest.raises(AccessError):
            room.vote("eve", answer)
    room.close_poll()
    with pytest.raises(AccessError, match="closed"):
        room.vote("eve", 0)
    assert room.poll == Poll("Which one?", ("a", "b"), (0, 2), closed=True)
    room.ask("Again?", ["yes", "no"])
    room.vote("ann", 0)
    assert room.poll == Poll("Again?", ("yes", "no"), (1, 0))
    room.end_poll()
    assert room.poll is None
    with pytest.raises(AccessError):
        room.vote("eve", 0)


@pytest.mark.parametrize(
    ("question", "answers"),
    [
        ("", ["a", "b"]),
        ("q", ["a"]),
        ("q", ["a", "a"]),
        ("q", ["a", " "]),
        ("q", [str(n) for n in range(MAX_ANSWERS + 1)]),
        ("q" * (MAX_WORDS + 1), ["a", "b"]),
        ("q", ["a", "b" * (MAX_WORDS + 1)]),
    ],
)
def test_what_is_no_poll_is_refused(question: str, answers: list[str]):
    room = Access()
    with pytest.raises(AccessError):
        room.ask(question, answers)
    assert room.poll is None
