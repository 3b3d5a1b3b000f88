"""Who may do what with a run: one owner, many watchers, a poll.

The owner is whoever knows a secret that was made with the run. It lives in the owner's browser
session and in the owner's own link, and nowhere else: what is kept here is its hash.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MAX_ANSWERS = 4
MAX_WORDS = 120  # characters of a question, and of an answer


class AccessError(ValueError):
    """Something that is not allowed here. One sentence for the person who tried."""


@dataclass(frozen=True)
class Poll:
    """A question to the room. votes: how many for each answer."""

    question: str
    answers: tuple[str, ...]
    votes: tuple[int, ...]
    closed: bool = False


class Access:
    """The people around one run. Thread-safe; voters are told apart by a name of their session.

    secret: the owner's; without one nobody owns the run and everybody may change it.
    demonstration: nobody's, see `wgan.server.demonstration`: whoever wants to change the run does
    so in a fork.
    """

    def __init__(self, secret: str | None = None, *, demonstration: bool = False) -> None:
        self._secret_hash = _hash(secret if secret is not None else secrets.token_urlsafe(16))
        self._lock = threading.Lock()
        self.open = secret is None  # whoever watches may change the run
        self.locked = False  # only the owner may bring data while watching it
        self.demonstration = demonstration
        self.successor = ""  # the id of the run that its owner has gone on to
        self._question = ""
        self._answers: tuple[str, ...] = ()
        self._closed = False
        self._votes: dict[str, int] = {}  # voter -> number of the answer

    def is_owner(self, secret: str | None) -> bool:
        """Whether this is the owner's secret; takes the same time for every wrong one."""
        return secret is not None and hmac.compare_digest(_hash(secret), self._secret_hash)

    def may_control(self, secret: str | None) -> bool:
        """Whether whoever knows this secret, or none, may change the run."""
        return self.open or self.is_owner(secret)

    def hand_over(self, other: Access, id: str) -> None:
        """The owner goes on to another run, of this id: the poll and what the room may go along."""
        with self._lock:
            self.successor = id
            other.open, other.locked = self.open, self.locked
            other._question, other._answers = self._question, self._answers
            other._closed, other._votes = self._closed, dict(self._votes)

    # Polls ----------------------------------------------------------------------------------

    @property
    def poll(self) -> Poll | None:
        """The poll as it stands; None when nothing is asked."""
        with self._lock:
            if not self._answers:
                return None
            cast = list(self._votes.values())
            votes = tuple(cast.count(number) for number in range(len(self._answers)))
            return Poll(self._question, self._answers, votes, self._closed)

    def ask(self, question: str, answers: Sequence[str]) -> None:
        """Begins a poll, in the place of the last one. Raises `AccessError`."""
        question = " ".join(question.split())
        kept = [" ".join(answer.split()) for answer in answers if answer.strip()]
        if not question or len(set(kept)) != len(kept) or not 2 <= len(kept) <= MAX_ANSWERS:
            raise AccessError(f"A poll needs a question and 2 to {MAX_ANSWERS} different answers.")
        if max(map(len, (question, *kept))) > MAX_WORDS:
            raise AccessError(f"A question and an answer have at most {MAX_WORDS} characters.")
        with self._lock:
            self._question, self._answers = question, tuple(kept)
            self._closed, self._votes = False, {}

    def vote(self, voter: str, answer: int) -> None:
        """One vote a voter; the first one counts. Raises `AccessError`."""
        with self._lock:
            if not 0 <= answer < len(self._answers) or self._closed:
                raise AccessError("This poll is closed; wait for the next one.")
            if voter in self._votes:
                raise AccessError("You have voted already; one vote each.")
            self._votes[voter] = answer

    def voted(self, voter: str) -> int | None:
        """The answer that a voter chose, None before that."""
        with self._lock:
            return self._votes.get(voter)

    def close_poll(self) -> None:
        """No more votes; the result stays."""
        with self._lock:
            self._closed = True

    def end_poll(self) -> None:
        """Takes the poll away."""
        with self._lock:
            self._question, self._answers, self._votes = "", (), {}

    # On disk --------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """What an autosave keeps: who owns the run, and whether the room may change it."""
        return {
            "secret_hash": self._secret_hash,
            "open": self.open,
            "locked": self.locked,
            "demonstration": self.demonstration,
            "successor": self.successor,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Access:
        """Raises `KeyError` or `TypeError` for what `to_dict` did not write."""
        access = cls()
        access._secret_hash = str(values["secret_hash"])
        access.open, access.locked = bool(values["open"]), bool(values["locked"])
        # An older save has none of these.
        access.demonstration = bool(values.get("demonstration", False))
        access.successor = str(values.get("successor", ""))
        return access


def _hash(secret: str) -> str:
    # A browser may send half a surrogate pair, which is no UTF-8: it is a wrong secret like others.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
