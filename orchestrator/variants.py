"""``paxos-lab variants`` and ``variant NAME``: the gallery of broken protocols, tried and told."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import click
from rich.console import Console
from rich.text import Text

from orchestrator.cluster import LabError
from orchestrator.explore import Wish, accused_of, run_explore
from orchestrator.narrate import WIDTH
from orchestrator.show import paragraph
from orchestrator.variants_told import diff, markdown, smallest
from orchestrator.variants_trials import (
    CORRECT_SEEDS,
    LIMIT,
    NEVER,
    Tried,
    fuzz,
    in_messages,
    model_of,
    try_correct,
    try_variant,
)
from paxos.events import line_id, narrate
from paxos.explorer import ALWAYS
from paxos.variants import VARIANTS, UnknownVariant, Variant, load

_NONE: Final = "-"
_DIFF_STYLES: Final = {"-": "red", "+": "green"}


def run_variants(names: Sequence[str], *, as_json: bool) -> int:
    """Put variants before their judges, and with all of them the correct protocol.

    Prints a row for each.

    Returns:
        0 if each was caught, and the correct protocol was not flagged; else 1.
    """
    console = Console(width=WIDTH, highlight=False, quiet=as_json)
    console.print(Text(f"{'':<23} {'breaks':<9} {'explorer':<15} {'log':<5} simulator", "bold"))
    tried = []
    for variant in [_loaded(name) for name in names] or VARIANTS.values():
        tried.append(try_variant(variant))
        _print_row(console, tried[-1])
    caught = sum(one.caught for one in tried)
    if not names:
        tried.append(try_correct())
        _print_row(console, tried[-1])
    paragraph(
        console,
        f"{caught} of {len(names) or len(VARIANTS)} caught. Explorer and log: the rule that "
        "breaks first, and in how many steps; simulator: the first seed that finds it.",
    )
    if as_json:
        click.echo(json.dumps([_as_json(one) for one in tried], indent=1))
    return 0 if all(one.as_it_should_be for one in tried) else 1


def run_variant(name: str) -> int:
    """Tell the story of one variant, and play the shortest schedule that shows it.

    Returns:
        0 if it was caught, else 1.
    """
    variant = _loaded(name)
    console = Console(width=WIDTH, highlight=False)
    console.rule(Text(f"{variant.name}, breaks {variant.breaks} first", "bold"), align="left")
    paragraph(console, variant.change, "bold")
    paragraph(console, f"It takes away: {variant.insight}.")
    paragraph(console, f"Seen in {variant.seen_in}. {variant.story}")
    for sentence in smallest(variant):
        paragraph(console, sentence)
    console.print()
    for row in diff(variant):
        console.print(Text(row, _DIFF_STYLES.get(row[0], "")), soft_wrap=True)
    console.print()
    if variant.exposed_by is not None:
        wish = Wish(model_of(variant.exposed_by), accused_of(name), "", LIMIT, ALWAYS, False)
        return 0 if run_explore(wish) == 1 else 1
    if variant.in_messages is not None:
        _tell_messages(console, variant)
    return _tell_seed(console, variant)


def _tell_messages(console: Console, variant: Variant) -> None:
    trace = in_messages(variant)
    if trace is None:
        paragraph(console, "It survived the message-set model.", "bold red")
        return
    paragraph(console, f"The shortest way to break {trace.what}, by messages alone:", "bold")
    for number, sentence in enumerate(trace.steps, 1):
        paragraph(console, f"{number:>3}  {sentence}.", indent="     ")
    console.print()


def _tell_seed(console: Console, variant: Variant) -> int:
    outcome = fuzz(variant, variant.seeds)
    if outcome is None:
        paragraph(console, f"It survived {variant.seeds} seeds of the simulator.", "bold red")
        return 1
    told = f"Seed {outcome.plan.seed} of the simulator: "
    if outcome.verdict.violations:
        first = outcome.verdict.violations[0]
        paragraph(console, f"{told}{first.rule}, for {first.sentence}.", "bold")
        for line in first.lines:
            paragraph(console, f"{line_id(line):<10} {narrate(line)}", indent="  ")
    else:
        paragraph(
            console,
            f"{told}nothing unsafe happens, everything is put right, clients ask once more, and "
            "no value is learned.",
            "bold",
        )
    return 0 if outcome.rule == variant.breaks else 1


def _loaded(name: str) -> Variant:
    try:
        return load(name)
    except UnknownVariant as unknown:
        raise LabError(str(unknown)) from unknown


def _print_row(console: Console, tried: Tried) -> None:
    explored = _NONE
    if tried.explored == NEVER:
        explored = "never chosen"
    elif tried.explored is not None:
        explored = f"{tried.explored}, {tried.steps} step{'s' if tried.steps != 1 else ''}"
    elif tried.is_explored:
        explored = "holds"
    fuzzed = f"{tried.fuzzed}, {tried.seed}" if tried.fuzzed else "nothing"
    if tried.name:
        verdict = "caught" if tried.caught else "survived"
    else:
        fuzzed = fuzzed if tried.fuzzed else f"{CORRECT_SEEDS} seeds"
        verdict = "holds" if tried.as_it_should_be else "flagged"
    style = "green" if tried.as_it_should_be else "bold red"
    name = tried.name or "the correct protocol"
    console.print(
        Text(
            f"{name:<23} {tried.breaks or _NONE:<9} {explored:<15} {tried.logged or _NONE:<5} "
            f"{fuzzed:<14} "
        ).append(verdict, style)
    )


def _as_json(tried: Tried) -> dict[str, Any]:
    return asdict(tried) | {
        "variant": tried.name or None,
        "caught": tried.caught,
        "as_it_should_be": tried.as_it_should_be,
    }


def _complete(_context: Any, _parameter: Any, incomplete: str) -> list[str]:
    return [name for name in VARIANTS if name.startswith(incomplete)]


@click.command("variants")
@click.argument("names", nargs=-1, shell_complete=_complete)
@click.option("--docs", is_flag=True, help="Print docs/variants.md instead.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for a program.")
def variants_command(names: tuple[str, ...], *, docs: bool, as_json: bool) -> None:
    """Try every broken protocol (or NAMES): is it caught? See docs/variants.md."""
    if docs:
        click.echo(markdown(), nl=False)
        return
    sys.exit(run_variants(names, as_json=as_json))


@click.command("variant")
@click.argument("name", shell_complete=_complete)
def variant_command(name: str) -> None:
    """Tell the story of one broken protocol, and play its shortest schedule."""
    sys.exit(run_variant(name))
