"""Why something did not come from the Hub, or did not get there: one sentence for a person."""

from __future__ import annotations

import errno
from collections.abc import Iterator

from huggingface_hub.errors import (
    DisabledRepoError,
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from wgan.errors import UserError

# The client's HTTP library has changed its name between two of its major versions, but not the
# names of its exceptions.
_NO_CONNECTION = {"ConnectError", "ConnectTimeout", "ProxyError", "UnsupportedProtocol"}
_SLOW = {"TimeoutException", "TimeoutError"}
_NOT_A_HUB = {"InvalidURL", "DecodingError", "TooManyRedirects", "FileMetadataError"}
_BROKEN_OFF = {"HTTPError", "ConnectionError"}  # all the rest


class HubError(UserError, RuntimeError):
    """Something could not be had from the Hub. The message is one sentence for a person.

    offline: True when the Hub could not be reached at all.
    """

    def __init__(self, message: str, *, offline: bool = False) -> None:
        super().__init__(message)
        self.offline = offline


class BrokenOff(HubError):
    """The connection ended before the body of an answer did; what came until then is good."""


class Cancelled(Exception):
    """The person who asked for it no longer wants it."""


def unreachable(endpoint: str) -> HubError:
    """The error of a Hub that nobody can be reached at."""
    return HubError(
        f"The Hub at {endpoint} cannot be reached from here; everything already on this machine "
        "still works, and the rest does once the network is back.",
        offline=True,
    )


def too_slow(about: str) -> HubError:
    """The error of a Hub that was reached and then kept silent."""
    return HubError(
        f"The Hub took too long to answer about {about}; try again, or use what is already on "
        "this machine."
    )


def explain(error: BaseException, about: str, endpoint: str) -> HubError | Cancelled | None:
    """The error that says in one sentence what the client or the disk raised.

    about: what was asked for, as in "the model owner/name". None for what is no news from the
    Hub or the disk.
    """
    for cause in _chain(error):
        if isinstance(cause, HubError | Cancelled):
            return cause
        if (found := _explain(cause, about, endpoint)) is not None:
            return found
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from: the client wraps what it does not know."""
    seen: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in seen:
        yield cause
        seen.append(cause)
        cause = cause.__cause__ or cause.__context__


def _explain(error: BaseException, about: str, endpoint: str) -> HubError | None:
    names = {kind.__name__ for kind in type(error).__mro__}
    if isinstance(error, OfflineModeIsEnabled):
        return HubError(
            "HF_HUB_OFFLINE is set, so the Hub is not asked; what is already on this machine "
            "works, and the rest does once that variable is unset.",
            offline=True,
        )
    if isinstance(error, HfHubHTTPError):
        return HubError(_answer(error, about))
    if isinstance(error, LocalEntryNotFoundError):
        return None  # the client's wrapper around what really happened
    if names & _NO_CONNECTION:
        return unreachable(endpoint)
    if names & _SLOW:
        return too_slow(about)
    if names & _NOT_A_HUB or isinstance(error, ValueError | KeyError | TypeError | AttributeError):
        return HubError(
            f"What answers at {endpoint} does not speak as a Hub does; "
            "check the environment variable HF_ENDPOINT."
        )
    if names & _BROKEN_OFF:
        return HubError(f"The Hub broke off its answer about {about}; try again.")
    if isinstance(error, OSError) and error.errno is not None:
        return _disk(error)
    return None


def _disk(error: OSError) -> HubError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return disk_full()
    where = f" ({error.filename})" if error.filename else ""
    return HubError(
        f"A file could not be read or written here{where}: {error.strerror}; "
        "check the folder, or set HF_HOME to one that can be written."
    )


def disk_full(needed: int | None = None) -> HubError:
    """The error of a disk without room; needed: bytes, where known."""
    size = f" for {needed / 1e6:,.0f} MB" if needed else ""
    return HubError(
        f"The disk has no room{size}; free some, or set HF_HOME to a folder on another disk."
    )


def _answer(error: HfHubHTTPError, about: str) -> str:
    """The sentence for an answer that is a refusal."""
    status = error.response.status_code
    if isinstance(error, GatedRepoError):
        return (
            f"The owner of {about} lets in only those who were granted access; ask for it on its "
            "page, log in here with `hf auth login`, and try again."
        )
    if isinstance(error, RevisionNotFoundError):
        return f"There is no such revision of {about}; leave the revision out for the newest."
    if isinstance(error, EntryNotFoundError):
        return f"There is no such file in {about}; the repository may have changed since."
    if isinstance(error, DisabledRepoError):
        return f"The Hub has disabled {about}; choose another repository."
    if isinstance(error, RepositoryNotFoundError) or status == 404:
        return (
            f"The Hub knows no {about.removeprefix('the ')}, or it is private; check the name, "
            "and log in with `hf auth login` if it is yours."
        )
    if status == 401:
        return (
            f"The Hub does not show {about} without a valid token; log in with `hf auth login` "
            "and try again."
        )
    if status == 429:
        wait = error.response.headers.get("Retry-After", "")
        when = f"in {wait} seconds" if wait.isdigit() else "in a few minutes"
        return f"The Hub has had too many requests from here; try again {when}."
    if status >= 500 or status == 408:
        return (
            f"The Hub itself has a problem (HTTP {status}); try again in a few minutes, or use "
            "what is already on this machine."
        )
    said = " ".join((error.server_message or "").split())[:200].rstrip(". ")
    reason = f"HTTP {status}: {said}" if said else f"HTTP {status}"
    return f"The Hub refused the request about {about} ({reason})."
