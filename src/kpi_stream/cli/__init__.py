"""The command line: one function a command, each calling one function below it.

Standard output is data, standard error is for people. Exit codes: 0 fine, 1 a check failed or a
service stopped, 2 a file, an option or a setting is wrong, 130 interrupted.
"""

import sys

import click

from kpi_stream import __version__
from kpi_stream.cli.demo import demo
from kpi_stream.cli.feeds import ingest, simulate
from kpi_stream.cli.offline import check, generate, replay, schema
from kpi_stream.cli.services import scorecard, topics, worker
from kpi_stream.domain.errors import InputError, KpiStreamError, StrategyError

WRONG_INPUT = 2
INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="kpi-stream")
def cli() -> None:
    r"""Customs events in, judged KPIs out.

    \b
    Try it without any server:
      kpi-stream simulate --days 90 --output events.jsonl.gz
      kpi-stream replay events.jsonl.gz
    """


for command in (check, schema, generate, replay, simulate, ingest, topics, worker, scorecard, demo):
    cli.add_command(command)


def main() -> None:
    """Run the command line; a user's mistake gives words, never a traceback."""
    try:
        code = cli.main(standalone_mode=False)
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
