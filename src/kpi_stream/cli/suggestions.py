"""What a shell is told that could come next: KPIs and offices of the strategy."""

from pathlib import Path

import click
from click.shell_completion import CompletionItem

from kpi_stream.domain.errors import KpiStreamError
from kpi_stream.domain.strategy import Strategy


def kpis(context: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem]:
    """Return the KPIs whose id, or code, begins so."""
    strategy = _strategy(context)
    found = () if strategy is None else strategy.kpis
    return [
        CompletionItem(name, help=each.name[strategy.language] if strategy else None)
        for each in found
        for name in (each.id, each.code)
        if name and name.startswith(begun) and (name == each.id or begun)
    ]


def offices(context: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem]:
    """Return the offices whose code begins so."""
    strategy = _strategy(context)
    if strategy is None:
        return []
    names = {
        member.code: member.name[strategy.language]
        for each in strategy.dimensions
        if each.id == "office"
        for member in each.members
    }
    return [
        CompletionItem(code, help=names.get(code))
        for code in sorted(strategy.offices)
        if code.startswith(begun)
    ]


def _strategy(context: click.Context) -> Strategy | None:
    """Return the strategy that is meant; None where it cannot be read: nobody sees an error."""
    # A key that is pressed should not wait for more than this.
    from kpi_stream.adapters.strategy_files import (  # noqa: PLC0415
        load_strategy,
        packaged_strategy_path,
    )
    from kpi_stream.settings import Settings  # noqa: PLC0415

    given: Path | None = context.params.get("strategy") or context.params.get("folder")
    try:
        return load_strategy(given or Settings.load().strategy or packaged_strategy_path())
    except (KpiStreamError, OSError):
        return None
