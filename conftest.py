"""Rules for every test, the doctests in `src` included; fixtures are in `tests/conftest.py`."""

pytest_plugins = ["tests.support.required"]
