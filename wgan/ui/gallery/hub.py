"""The Hub in the gallery: search, look at a repository, pull it.

Nothing here waits for the Hub: jobs do, and the page looks at them. Everything is asked
without a token: no visitor sees what only the server's owner may.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from wgan.hub import Found, HubError, Repo, check_repo_id, describe, search
from wgan.ui.binding import notice
from wgan.ui.gallery.progress import progress, visitor
from wgan.ui.words import plain, sections, without_pictures
from wgan.zoo.catalog import find_entry
from wgan.zoo.job import Job, jobs
from wgan.zoo.likely import Verdict, verdict
from wgan.zoo.pull import pull
from wgan.zoo.repo_files import foreign, weights_file

LIBRARIES = ["pytorch", "safetensors"]
TAGS = ["gan", "dcgan", "wgan-gp", "unconditional-image-generation", "wgan-lab"]
ENDINGS = [".safetensors", ".bin", ".pth", ".pt", ".ckpt"]
_EVERYTHING = "gan"  # what is searched for before anything is asked
_FILES_SHOWN = 30
_MARKS = {
    "likely": ":material/check_circle:",
    "perhaps": ":material/help:",
    "no": ":material/block:",
}


def browser() -> None:
    """The tab: on the left what there is, on the right the repository that was chosen."""
    left, right = st.columns([2, 3], gap="large")
    with left:
        _search()
    with right:
        if repo_id := st.query_params.get("repo"):
            _repository(repo_id)
        else:
            st.caption(sections("gallery")["hub"])


# What there is -------------------------------------------------------------------------------


def _search() -> None:
    text = st.text_input(
        "Search, or paste OWNER/NAME",
        key="hub_text",
        icon=":material/search:",
        placeholder="faces, bedrooms, someone/their-generator",
        max_chars=200,
    )
    libraries = st.pills("Library", LIBRARIES, selection_mode="multi", key="hub_libraries")
    tags = st.pills("Tags", TAGS, selection_mode="multi", key="hub_tags")
    endings = st.pills("With a file", ENDINGS, selection_mode="multi", key="hub_files")
    if "/" in text:
        st.button("Look at it", key="hub_look", type="primary", on_click=_look, args=(text,))
        return
    words, filters = text.strip(), [*libraries, *tags]
    if not words and not filters:
        words = _EVERYTHING
    key = f"search {words} {sorted(filters)}"
    job = jobs.get(key) or jobs.start(key, lambda *_: search(words, filters, token=False))
    if job.state == "running":
        progress(job, f"Searching for {' '.join([words, *filters])[:80]}")
    elif job.error is not None:
        st.caption(plain(job.error))
        st.button("Try again", key="hub_again", on_click=_again, args=(job,))
    elif job.result is not None:
        _results([one for one in job.result if _has_file(one, endings)])


def _has_file(found: Found, endings: Sequence[str]) -> bool:
    return not endings or any(name.endswith(tuple(endings)) for name in found.files)


def _results(found: Sequence[Found]) -> None:
    """What may load first, and the others with the reason behind a fold."""
    judged = [(one, verdict(one)) for one in found]
    hopeful = [pair for pair in judged if pair[1].chance != "no"]
    others = [pair for pair in judged if pair[1].chance == "no"]
    if not hopeful:
        st.caption("Nothing on the Hub matches that and could load here.")
    for one, said in sorted(hopeful, key=lambda pair: pair[1].chance != "likely"):
        _hit(one, said)
    if others:
        with st.expander(f"{len(others)} more that do not load", key="hub_others"):
            for one, said in others:
                _hit(one, said)


def _hit(one: Found, said: Verdict) -> None:
    with st.container(gap=None):
        st.button(
            plain(one.id), key=f"found_{one.id}", on_click=_look, args=(one.id,), type="tertiary",
            icon=_MARKS[said.chance],
            help=f"{one.downloads or 0:,} downloads, {one.likes or 0:,} likes",
        )  # fmt: skip
        st.caption(f"{said.chance.capitalize()}: {plain(said.why)}")


def _look(text: str) -> None:
    try:
        st.query_params.from_dict({"repo": check_repo_id(text)})
    except HubError as error:
        notice(str(error))


# One repository -------------------------------------------------------------------------------


def _repository(repo_id: str) -> None:
    revision = st.query_params.get("commit")
    key = f"describe {repo_id} {revision or ''}"
    st.markdown(f"**{plain(repo_id)}**")
    if (entry := find_entry(repo_id)) is not None:
        st.caption(plain(f"{entry.about} {entry.why}"))
    job = jobs.get(key) or jobs.start(
        key, lambda *_: describe(repo_id, revision=revision, token=False)
    )
    if job.state == "running":
        progress(job, "Asking the Hub")
    elif job.error is not None:
        st.warning(plain(job.error), icon=":material/info:")
        st.button("Ask again", key="hub_ask_again", on_click=_again, args=(job,))
    elif job.result is not None:
        _facts(job.result)
        _pull(job.result)


def _facts(repo: Repo) -> None:
    facts = [f"licence {repo.licence or 'not named'}"]
    if repo.last_modified is not None:
        facts.append(f"changed {repo.last_modified:%Y-%m-%d}")
    if repo.downloads is not None:
        facts.append(f"{repo.downloads:,} downloads")
    facts.append(f"commit {repo.commit[:8]}")
    st.caption(plain(" · ".join(facts)))
    if repo.tags:
        st.caption("Tags: " + plain(", ".join(repo.tags[:12])))
    rows = [
        {"file": file.name, "MB": round((file.size or 0) / 1e6, 2)}
        for file in repo.files[:_FILES_SHOWN]
    ]
    if rows:
        st.dataframe(rows, hide_index=True, height="content")
    if len(repo.files) > _FILES_SHOWN:
        st.caption(f"and {len(repo.files) - _FILES_SHOWN:,} more files")
    if repo.card:
        with st.expander("Model card"):
            st.markdown(without_pictures(repo.card))


def _pull(repo: Repo) -> None:
    names = [file.name for file in repo.files]
    weights, why_not = weights_file(names), foreign(names)
    if weights is None or why_not is not None:
        st.info(plain(why_not or "There are no weights here."), icon=":material/block:")
        return
    size = next((file.size for file in repo.files if file.name == weights), None)
    key = f"pull {repo.id} {repo.commit}"
    job = jobs.get(key)
    if job is not None and job.state == "running":
        progress(job)
        st.button("Cancel", key="hub_cancel", on_click=job.cancel, args=(visitor(),))
        return
    if job is not None and job.error is not None:
        st.warning(plain(job.error), icon=":material/info:")
    if job is not None and job.state == "done" and "commit" not in st.query_params:
        st.query_params["commit"] = repo.commit  # from now on this page opens what was pulled
        st.rerun()
    st.button(
        "Pull and open" + (f" · {size / 1e6:.1f} MB" if size else ""),
        key="hub_pull",
        type="primary",
        icon=":material/download:",
        on_click=_start_pull,
        args=(key, repo),
        help="Into the server's cache, pinned to the commit above.",
    )


def _start_pull(key: str, repo: Repo) -> None:
    st.query_params.from_dict({"repo": repo.id})
    jobs.start(
        key,
        lambda report, cancelled: pull(repo.id, report, cancelled, repo.commit, False),
        visitor(),
    )


def _again(job: Job) -> None:
    jobs.start(job.key, job.work)
