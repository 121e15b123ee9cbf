"""The checks by name: nox -s fast, nox -s tests, nox -s lowest types docs coverage."""

import nox

nox.options.sessions = ["fast", "types"]
nox.options.default_venv_backend = "uv|venv"

NEWEST = "3.13"
TESTERS = ["pytest>=8", "beartype>=0.23", "mpmath>=1.3", "pytest-xdist>=3.8"]
# The parts that lean on a library: what its lowest version breaks shows when it is imported and run once.
SMOKE = [
    "tests/model",
    "tests/bounds/test_bounds.py",
    "tests/cli/test_cli.py",
    "tests/io/test_io_gym.py",
    "tests/report/test_report.py",
    "tests/solve/test_evaluation.py",
    "tests/updates/test_cvxpy.py",
]


@nox.session(python=["3.11", "3.12", NEWEST])
def tests(session: nox.Session) -> None:
    """Everything, on each Python."""
    session.install(".[test,peers]")
    session.run("pytest", "-n", "2", *session.posargs)


@nox.session
def fast(session: nox.Session) -> None:
    """The tests that take under a second each and need no browser: every room, in under a minute on two cores."""
    session.install(".[test]")
    session.run("pytest", "-n", "2", "-m", "not slow and not browser", *session.posargs)


@nox.session
def whole(session: nox.Session) -> None:
    """What the ordinary run leaves out: all cases of the tests of which it has a sample, and long tests that have siblings."""
    session.install(".[test]")
    session.run("pytest", "-n", "2", "-m", "sampled or whole", *session.posargs, env={"TRPO_THEORY_WHOLE": "1"})


@nox.session
def deep(session: nox.Session) -> None:
    """Everything, with 2,000 examples for each property, and tables and loops in full."""
    session.install(".[test,peers]")
    session.run("pytest", "-n", "2", "--hypothesis-profile=deep", *session.posargs)


@nox.session(python="3.11")
def lowest(session: nox.Session) -> None:
    """A smoke run on the lowest versions that pyproject.toml allows."""
    session.install("uv")
    session.run("uv", "pip", "install", "--resolution", "lowest-direct", ".", *TESTERS, external=True)
    # Old releases on a newer Click or NumPy warn of what will go; they still have to work.
    session.run("pytest", "-W", "default", "-n", "2", "-m", "not slow and not browser and not peers", *SMOKE)


@nox.session
def types(session: nox.Session) -> None:
    """Linters, pyright, and how much of the public interface is typed."""
    session.install(".[test,dev]")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("pyright")
    session.run("pyright", "--verifytypes", "trpo_theory", "--ignoreexternal")  # fails below 100 %


@nox.session
def docs(session: nox.Session) -> None:
    """The pages of docs/, with every warning an error, and all links within them; what their code prints is a test."""
    session.install(".[docs]")
    session.run("sphinx-build", "-q", "-W", "--keep-going", "-n", "docs", "docs/_build/html")
    session.run(
        "sphinx-build",
        "-q",
        "-W",
        "-b",
        "linkcheck",
        "-D",
        "linkcheck_ignore=https?:.*",
        "docs",
        "docs/_build/linkcheck",
    )
    session.install(".[test]")
    session.run("pytest", "tests/house")


@nox.session
def coverage(session: nox.Session) -> None:
    """The lines and branches of trpo_theory that the tests reach."""
    session.install("-e", ".[test,dev]")
    session.run("pytest", "-n", "2", "--cov=trpo_theory", "--cov-report=term-missing", *session.posargs)
