"""The Hugging Face Hub: find a repository, fetch files of it at one commit, push a checkpoint.

Knows no data set and no checkpoint. Everything that can go wrong is a `HubError` with one
sentence; nothing here may run on a page's own thread (see `wgan.zoo.job`).
"""

from wgan.hub.download import MAX_BYTES, Bytes, check_file_name, fetch
from wgan.hub.errors import Cancelled, HubError
from wgan.hub.network import never
from wgan.hub.repos import Found, Kind, Repo, RepoFile, cached, check_repo_id, describe, search
from wgan.hub.upload import FILES, push

__all__ = [
    "FILES",
    "MAX_BYTES",
    "Bytes",
    "Cancelled",
    "Found",
    "HubError",
    "Kind",
    "Repo",
    "RepoFile",
    "cached",
    "check_file_name",
    "check_repo_id",
    "describe",
    "fetch",
    "never",
    "push",
    "search",
]
