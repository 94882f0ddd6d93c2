"""Settings of all tests."""

import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))


def pytest_addoption(parser):
    parser.addoption(
        "--accept", action="store_true", help="rewrite the expectations of the spec files and the generated page"
    )


def pytest_configure(config):
    # Compiled rules that tests make are no business of the person's own cache.
    folder = tempfile.TemporaryDirectory(prefix="contraband-tests-")
    os.environ["XDG_CACHE_HOME"] = folder.name
    config.add_cleanup(folder.cleanup)
