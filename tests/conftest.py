"""Settings of all tests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))


def pytest_addoption(parser):
    parser.addoption("--accept", action="store_true", help="rewrite the expectations of the spec files")
