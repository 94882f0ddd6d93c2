"""Every case of every spec file, on every engine. `pytest tests/spec --accept` rewrites the expectations."""

from pathlib import Path

import pytest

from spec.runner import ENGINES, Case, accept, observe, read_cases

FILES = sorted(Path(__file__).parent.rglob("*.md"))
CASES = [case for file in FILES for case in read_cases(file)]


@pytest.fixture(scope="session")
def accepted(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--accept"):
        for file in FILES:
            accept(file)
        pytest.exit("expectations rewritten: review the difference", returncode=0)


@pytest.mark.usefixtures("accepted")
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.file.stem}: {case.title}")
def test_case(case: Case, engine: str) -> None:
    assert observe(case, engine) == case.expected


def test_titles_are_unique_in_a_file() -> None:
    titles = [(case.file, case.title) for case in CASES]
    assert len(titles) == len(set(titles))
