"""What the checks of dashboards share: every edition, built once."""

import pytest

from tests.support import dashboards
from tests.support.dashboards import Json


@pytest.fixture(scope="session")
def everything() -> list[dict[str, Json | str]]:
    """Return every dashboard of every edition with the name that findings use."""
    return [
        {"file": f"{name}: {path}", "dashboard": board}
        for name in dashboards.EDITIONS
        for path, board in dashboards.boards(name).items()
    ]
