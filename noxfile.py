"""The daily commands: `nox` does what a commit has to pass, `nox -s NAME` one part of it.

They run in the environment that nox itself is installed in.
"""

import sys

import nox

nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "types", "tests"]


@nox.session
def lint(session: nox.Session) -> None:
    """Mends what ruff can mend, and shows the rest."""
    session.run("ruff", "check", "--fix", ".")
    session.run("ruff", "format", ".")


@nox.session
def types(session: nox.Session) -> None:
    session.run("pyright", "--pythonpath", sys.executable)


@nox.session
def tests(session: nox.Session) -> None:
    """The default tests, those in a browser last; `nox -s tests -- -k WORD` some of them."""
    session.run(sys.executable, "-m", "tests", *session.posargs)


@nox.session
def slow(session: nox.Session) -> None:
    """The tests that take minutes."""
    session.run("pytest", "-m", "slow", *session.posargs)


@nox.session
def diagram(session: nox.Session) -> None:
    """Draws the imports into docs/architecture.md anew."""
    session.run(sys.executable, "-m", "docs.diagram")


@nox.session
def app(session: nox.Session) -> None:
    """The app, whose pages follow their files."""
    session.run("streamlit", "run", "app.py", "--server.fileWatcherType=auto", *session.posargs)


@nox.session
def mutants(session: nox.Session) -> None:
    """Breaks the code in one place at a time: `nox -s mutants -- WORD`."""
    session.run(sys.executable, "-m", "benchmarks.mutants", *session.posargs)
