"""What a repository on the Hub is, and how one is found."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from huggingface_hub import HfApi, constants, get_session, hf_hub_url
from huggingface_hub.file_download import repo_folder_name
from huggingface_hub.utils import (
    build_hf_headers,
    hf_raise_for_status,
    parse_datetime,
    validate_repo_id,
)

from wgan.config import is_repo_id
from wgan.hub.errors import HubError
from wgan.hub.network import CONNECT, SILENCE, asking, call_with_timeout, check_connection, endpoint

Kind = Literal["model", "dataset"]
# None: the token that this machine is logged in with, if any. False: none at all.
Token = str | bool | None

MAX_CARD = 200_000  # bytes of a README that are read
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class RepoFile:
    """A file of a repository. size: bytes, None where the Hub does not say."""

    name: str
    size: int | None


@dataclass(frozen=True)
class Repo:
    """A repository at one commit."""

    id: str  # OWNER/NAME
    kind: Kind
    commit: str  # 40 hexadecimal digits
    files: tuple[RepoFile, ...]
    licence: str | None = None
    tags: tuple[str, ...] = ()
    downloads: int | None = None  # in the last 30 days
    likes: int | None = None
    last_modified: datetime | None = None
    gated: bool = False
    card: str = ""  # its README without the front matter, the first `MAX_CARD` bytes of it


@dataclass(frozen=True)
class Found:
    """A repository in a list of search results."""

    id: str
    kind: Kind
    downloads: int | None
    likes: int | None
    tags: tuple[str, ...]
    last_modified: datetime | None
    files: tuple[str, ...]  # names, empty where the Hub does not list them


def check_repo_id(text: str) -> str:
    """OWNER/NAME from what a person typed: that, or the address of a repository's page.

    Raises `HubError`.
    """
    try:
        name = _name_in_address(text.strip()) if "://" in text else text.strip()
        validate_repo_id(name)
        valid = is_repo_id(name)
    except ValueError:
        valid, name = False, ""
    if not valid:
        shown = text.strip()[:100]
        raise HubError(
            f"{shown!r} is not the name of a repository; expected OWNER/NAME, or the address of "
            f"its page at {endpoint()}."
        )
    return name


def _name_in_address(address: str) -> str:
    """OWNER/NAME in a page's address; raises `ValueError` where there is none."""
    url = urlsplit(address)
    parts = [part for part in url.path.split("/") if part]
    if parts[:1] in (["datasets"], ["models"]):
        parts = parts[1:]
    if url.netloc != urlsplit(endpoint()).netloc or parts[:1] in (["spaces"], ["api"]):
        raise ValueError(address)
    return "/".join(parts[:2])


def describe(
    repo_id: str, kind: Kind = "model", revision: str | None = None, token: Token = None
) -> Repo:
    """A repository as it is now, or at a revision (branch, tag, or full commit).

    Raises `HubError`.
    """
    repo_id = check_repo_id(repo_id)
    about = f"the {_word(kind)} {repo_id}"
    check_connection()
    api = HfApi(endpoint=endpoint(), token=token)
    ask = api.model_info if kind == "model" else api.dataset_info
    with asking(about):
        info = call_with_timeout(
            lambda: ask(repo_id, revision=revision, timeout=SILENCE, files_metadata=True),
            CONNECT + SILENCE,
        )
        if not _COMMIT.fullmatch(info.sha or ""):
            raise ValueError("no commit")
        files = tuple(RepoFile(file.rfilename, file.size) for file in info.siblings or ())
        tags = tuple(map(str, info.tags or ()))
    commit = info.sha or ""
    card = ""
    if any(file.name == "README.md" for file in files):
        card = _card(repo_id, kind, commit, token)
    return Repo(
        id=repo_id,
        kind=kind,
        commit=commit,
        files=files,
        licence=_licence(info.card_data, tags),
        tags=tags,
        downloads=info.downloads,
        likes=info.likes,
        last_modified=info.last_modified,
        gated=bool(info.gated),
        card=card,
    )


def search(
    text: str,
    tags: Sequence[str] = (),
    limit: int = 30,
    kind: Kind = "model",
    token: Token = None,
) -> list[Found]:
    """The repositories whose name holds `text` and that carry all `tags`, most downloaded first.

    Raises `HubError`.
    """
    asked: dict[str, Any] = {"limit": limit, "full": True, "sort": "downloads"}
    asked |= {"search": text.strip()} if text.strip() else {}
    asked |= {"filter": list(tags)} if tags else {}
    check_connection()

    def ask() -> Any:
        # The client's own listing waits without end, and repeats what fails for 23 seconds.
        response = get_session().get(
            f"{endpoint()}/api/{kind}s",
            params=asked,
            headers=build_hf_headers(token=token),
            timeout=SILENCE,
        )
        hf_raise_for_status(response)
        return response.json()

    with asking("the search"):
        return [_found(item, kind) for item in call_with_timeout(ask, CONNECT + SILENCE)[:limit]]


def cached(repo_id: str, kind: Kind = "model", commit: str | None = None) -> Repo | None:
    """The repository as far as this machine keeps it: at the commit that was fetched last.

    commit: another one, in full. Lists only the files that are here, and asks nobody. None when
    nothing is here.
    """
    folder = cache_folder(check_repo_id(repo_id), kind) / "snapshots"
    if not folder.is_dir():
        return None
    commits = [path for path in folder.iterdir() if _COMMIT.fullmatch(path.name)]
    if commit is not None:
        commits = [path for path in commits if path.name == commit]
    if not commits:
        return None
    newest = max(commits, key=lambda path: path.stat().st_mtime)
    files = sorted(path for path in newest.rglob("*") if path.is_file())
    readme = newest / "README.md"
    return Repo(
        id=check_repo_id(repo_id),
        kind=kind,
        commit=newest.name,
        files=tuple(
            RepoFile(path.relative_to(newest).as_posix(), path.stat().st_size) for path in files
        ),
        card=_without_front_matter(readme.read_bytes()[:MAX_CARD]) if readme in files else "",
    )


def cache_folder(repo_id: str, kind: Kind) -> Path:
    """Where the client keeps a repository on this machine."""
    name = repo_folder_name(repo_id=repo_id, repo_type=kind)
    return Path(constants.HF_HUB_CACHE).expanduser() / name


def _word(kind: Kind) -> str:
    return "data set" if kind == "dataset" else "model"


def _found(item: Any, kind: Kind) -> Found:
    modified = item.get("lastModified")
    return Found(
        id=str(item["id"]),
        kind=kind,
        downloads=item.get("downloads"),
        likes=item.get("likes"),
        tags=tuple(map(str, item.get("tags") or ())),
        last_modified=parse_datetime(modified) if modified else None,
        files=tuple(str(file["rfilename"]) for file in item.get("siblings") or ()),
    )


def _licence(card_data: Any, tags: Sequence[str]) -> str | None:
    """As in "mit": from the card's front matter, or from the tag that the Hub makes of it."""
    named = getattr(card_data, "license", None)
    if isinstance(named, str):
        return named
    return next((tag.removeprefix("license:") for tag in tags if tag.startswith("license:")), None)


def _card(repo_id: str, kind: Kind, commit: str, token: Token) -> str:
    """The README at a commit; empty when it is not to be had (a gated one, for instance)."""
    url = hf_hub_url(repo_id, "README.md", repo_type=kind, revision=commit, endpoint=endpoint())

    def ask() -> bytes:
        read = b""
        with get_session().stream(
            "GET",
            url,
            headers=build_hf_headers(token=token),
            timeout=SILENCE,
            follow_redirects=True,
        ) as response:
            hf_raise_for_status(response)
            for piece in response.iter_bytes():
                read += piece
                if len(read) >= MAX_CARD:
                    break
        return read[:MAX_CARD]

    try:
        with asking(f"the card of {repo_id}"):
            return _without_front_matter(call_with_timeout(ask, CONNECT + SILENCE))
    except HubError:
        return ""


def _without_front_matter(card: bytes) -> str:
    text = card.decode("utf-8", "replace").removeprefix("\ufeff").replace("\r\n", "\n")
    if text.startswith("---\n"):
        end = text.find("\n---\n", 3)
        text = text[end + 5 :] if end >= 0 else text
    return text.strip()
