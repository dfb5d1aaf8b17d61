"""The command line: one function a command, each calling one function below it.

Standard output is data, standard error is for people. Exit codes, of every command: 0 fine; 1 what
was asked for is not so, or somebody does not answer; 2 a file, an option, a setting or a right is
wrong; 130 interrupted. The README says for each command what 1 and 2 mean.
"""

import sys
from importlib import import_module

import click
from click.shell_completion import CompletionItem

from kpi_stream import __version__
from kpi_stream.cli.parameters import examples
from kpi_stream.domain.errors import InputError, KpiStreamError, StrategyError

WRONG_INPUT = 2
INTERRUPTED = 130

COMMANDS = {
    "demo": ("demo", "Run everything on this machine, with an embedded broker."),
    "simulate": ("feeds", "Turn declarations into events, to a file or to Kafka."),
    "replay": ("replay", "Fold a file of events and print the readings."),
    "explain": ("explain", "Say why a KPI moved, and who costs most."),
    "whatif": ("whatif", "Judge the past under another strategy."),
    "worklist": ("worklist", "List what is late or close to its limit, and who holds it."),
    "backfill": ("backfill", "Write the past for Prometheus, from files of events."),
    "report": ("report", "Write the monthly review and the Time Release Study."),
    "check": ("offline", "Check a strategy folder, report every problem."),
    "schema": ("offline", "Write the JSON Schemas of the events."),
    "topics": ("services", "Create and check the Kafka topics."),
    "ingest": ("feeds", "Send a file of events to Kafka."),
    "worker": ("services", "Count the events."),
    "scorecard": ("services", "Judge the counts; serve metrics and the scorecard."),
    "rebuild": ("rebuild", "Count again after a KPI changed, then switch over."),
    "healthcheck": ("services", "Ask a running service whether it is well."),
    "dlq": ("dlq", "Look at dead letters and send them back."),
    "doctor": ("doctor", "Examine the installation: what is wrong, and its remedy."),
    "generate": ("offline", "Write what is generated from the code."),
    "completion": ("completion", "Print the script by which a shell completes."),
}
"""Module below this package and purpose of each command, as `--help` lists them."""


class _Commands(click.Group):
    """Imports a command when it is asked for: numpy, Kafka and Faust take their time."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), *COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module = import_module(f"{__name__}.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        if incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        # The purposes are here; a key that is pressed should not wait for all the imports.
        return [
            CompletionItem(name, help=purpose)
            for name, (_, purpose) in COMMANDS.items()
            if name.startswith(incomplete)
        ]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS:
            ctx.fail(f"No such command {args[0]!r}; one of {', '.join(COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx  # the purposes are here; asking the commands would import them all
        with formatter.section("Commands"):
            formatter.write_dl([(name, purpose) for name, (_, purpose) in COMMANDS.items()])


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=examples(
        "kpi-stream demo",
        "kpi-stream simulate --days 90 --output events.jsonl.gz",
        "kpi-stream replay events.jsonl.gz",
    ),
)
@click.version_option(__version__, prog_name="kpi-stream")
def cli() -> None:
    """Customs events in, judged KPIs out."""


def main() -> None:
    """Run the command line; a user's mistake gives words, never a traceback."""
    try:
        code = cli.main(prog_name="kpi-stream", standalone_mode=False)
    except click.exceptions.Abort:
        code = INTERRUPTED
    except KeyboardInterrupt:
        code = INTERRUPTED
    except click.ClickException as err:
        err.show()
        code = err.exit_code
    except (InputError, StrategyError) as err:
        click.echo(f"kpi-stream: {err}", err=True)
        code = WRONG_INPUT
    except KpiStreamError as err:
        click.echo(f"kpi-stream: {err}", err=True)
        code = 1
    except BrokenPipeError:
        # The reader of a pipe (head, less) has seen enough.
        sys.stderr.close()
        code = 0
    sys.exit(code if isinstance(code, int) else 0)
