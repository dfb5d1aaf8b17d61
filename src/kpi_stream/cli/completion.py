"""`kpi-stream completion`: the shell completes commands, options, KPIs and offices."""

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete

from kpi_stream.cli.parameters import examples


class _FishComplete(FishComplete):
    """Shows descriptions whole: the library's own script cuts them at their first comma."""

    source_template = FishComplete.source_template.replace(
        'string split ","', 'string split --max 1 ","'
    )


SHELLS = {"bash": BashComplete, "zsh": ZshComplete, "fish": _FishComplete}
VARIABLE = "_KPI_STREAM_COMPLETE"
"""By which the script asks the command; click derives it from the program's name."""


@click.command(
    epilog=examples(
        "kpi-stream completion bash > ~/.local/share/bash-completion/completions/kpi-stream",
        'kpi-stream completion zsh > "${fpath[1]}/_kpi-stream"',
        "kpi-stream completion fish > ~/.config/fish/completions/kpi-stream.fish",
    )
)
@click.argument("shell", type=click.Choice(list(SHELLS)))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script by which a shell completes commands, options, KPIs and offices.

    KPIs and offices are those of the strategy: of --strategy where it comes first, else of
    KPI_STREAM_STRATEGY. For this session alone: source <(kpi-stream completion bash)
    """
    made = SHELLS[shell](context.find_root().command, {}, "kpi-stream", VARIABLE)
    click.echo(made.source())
