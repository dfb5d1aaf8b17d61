"""Every command explains itself, and its examples are right."""

import re
import shlex
from collections.abc import Iterator
from itertools import takewhile

import click
import pytest

from kpi_stream import __version__, cli
from tests.unit.cli.conftest import Run


def _command(words: list[str]) -> tuple[click.Command, list[str]]:
    """Return the command that the words name, and its arguments."""
    command: click.Command = cli.cli
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(click.Context(command), words[0])
        assert found is not None, words[0]
        command, words = found, words[1:]
    return command, words


def _paths(command: click.Command, path: list[str]) -> Iterator[list[str]]:
    """Yield the words of every command that does something by itself."""
    if not isinstance(command, click.Group) or command.invoke_without_command:
        yield path
    if not isinstance(command, click.Group):
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        assert inner is not None
        yield from _paths(inner, [*path, name])


PATHS = list(_paths(cli.cli, []))


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_a_command_explains_itself_with_examples(kpi_stream: Run, path: list[str]) -> None:
    """Help goes to standard output, fits into the terminal, and shows how it is used."""
    for option in ("-h", "--help"):
        printed = kpi_stream(*path, option)
        assert printed.err == ""
        assert printed.out.startswith(f"Usage: kpi-stream {' '.join(path)} ")
        assert "\n  Examples:\n" in printed.out
        assert max(map(len, printed.out.splitlines())) <= 100
        assert not re.search(r"\\b|\x08", printed.out)


@pytest.mark.parametrize("path", [[], *PATHS], ids=lambda path: " ".join(path) or "kpi-stream")
def test_examples_are_accepted(path: list[str]) -> None:
    """Each example parses: its options exist and take such values."""
    command: click.Command = cli.cli if not path else _command(path)[0]
    examples = re.findall(r"^ +(.*\bkpi-stream .*)$", command.epilog or "", re.MULTILINE)
    assert examples
    for example in examples:
        # What comes behind is the shell's.
        words = list(takewhile(lambda word: word != ">", shlex.split(example)))
        named, arguments = _command(words[words.index("kpi-stream") + 1 :])
        assert command in (cli.cli, named)
        # A command remembers the names of the help option from the first context that it sees.
        above = click.Context(cli.cli, **cli.cli.context_settings)
        named.make_context("example", list(arguments), parent=above).close()


def test_the_list_of_commands_is_whole(kpi_stream: Run) -> None:
    """Each command is listed with its purpose in full, and the list is in no other order."""
    printed = kpi_stream("--help")
    listed = re.findall(r"^  ([a-z]+) {2,}(\S.*)$", printed.out, re.MULTILINE)
    assert listed == [(name, purpose) for name, (_, purpose) in cli.COMMANDS.items()]
    for name in cli.COMMANDS:
        assert cli.cli.get_command(click.Context(cli.cli), name).name == name


def test_no_word_at_all_gives_help_as_an_error(kpi_stream: Run) -> None:
    """So a script that forgets the command does not go on."""
    assert "Usage: kpi-stream" in kpi_stream(code=2).err


def test_the_version_is_told(kpi_stream: Run) -> None:
    """On standard output, for a script to read."""
    assert kpi_stream("--version").out == f"kpi-stream, version {__version__}\n"
