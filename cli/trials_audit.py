"""`vfsearch trials audit`."""

from pathlib import Path

import click
from vfsearch_cli.options import PATH, WORDS, common, option
from vfsearch_cli.terminal import table

EPILOG = """\b
Examples:
  vfsearch trials audit verify_v2f_test.txt --identities vox1_test.csv
  vfsearch trials audit match_g_v2f_2_test.txt --identities vox1_test.csv --group G --model model
  vfsearch trials audit trials/*.tsv --manifest manifest.csv --strict
  vfsearch trials audit verify_v2f_test.txt --write-clean verify_clean_test.txt --without duplicates,same-source

Exit codes: 0; 4 with --strict, if there are errors or warnings; 3 a list cannot be read.
"""
SHOWN = 100
SERIOUS = ("error", "warning")


@click.command(epilog=EPILOG)
@click.argument("files", nargs=-1, required=True, type=PATH)
@option("--identities", type=PATH, multiple=True, help="Table of whose the items are and of what these people are; may "
        "be given more than once.  [default: tables beside a list in the layout of the paper or of CMPC]")  # fmt: skip
@option("--manifest", type=PATH, default=None, help="Items that there are, with identities, columns and sources.")
@option("--group", default="U", show_default=True, help="What negatives have in common with the probe: U nothing, G "
        "gender, N nationality, A age, letters together (GNA), or columns (gender+accent).")  # fmt: skip
@option("--train-identities", type=PATH, default=None, help="Whom a model was trained on: one identity a line, or a "
        "table.")  # fmt: skip
@option("--model", type=PATH, default=None, help="Folder of a model whose training identities count too.")
@option("--format", "format_", default=None, help="Of the lists.  [default: recognised from the content]")
@option("--examples", type=click.IntRange(min=0), default=3, show_default=True, help="Most of them a finding.")
@option("--write-clean", type=PATH, default=None, help="Write the list without offenders here, in its own format; for "
        "several lists a folder.")  # fmt: skip
@option("--without", type=WORDS, default=None, help="Findings whose trials are left out.  [default: those of severity "
        "error, and duplicates]")  # fmt: skip
@option("--overwrite", is_flag=True, help="Replace files that are there.")
@option("--strict", is_flag=True, help="End with exit code 4 if there are errors or warnings.")
@common
def audit(terminal, workspace: Path, files, write_clean, without, overwrite, strict, format_, **asked):
    """Look for what makes a list of trials mislead: repeated and contradictory trials, pairs cut from one recording,
    negatives that break the group's rule, people seen in training, order and names that give labels away, and more.

    Each finding has a count and examples by line, and with --json its definition. Nothing is changed; --write-clean
    writes a list without the trials at fault.
    """
    from vfsearch.pipeline.audit_trials import AuditSettings, CleanSettings, audit_trials

    settings = AuditSettings(format=format_, **asked)
    if write_clean is None and (without is not None or overwrite):
        raise click.UsageError("--without and --overwrite say how to write a list: name its file with --write-clean")
    cleaned = None
    if write_clean is not None:
        cleaned = CleanSettings(path=write_clean, without=without, overwrite=overwrite)
    done = audit_trials(files, settings, cleaned, terminal.progress)
    shown = [each for audited in done for each in _shown(audited)]
    terminal.result({"lists": [audited.to_json() for audited in done]}, *shown)
    return 4 if strict and any(audited.report.count(*SERIOUS) for audited in done) else 0


def _shown(audited) -> list:
    """A table of what was found in one list, and lines about the list."""
    report = audited.report
    rows = [
        (found.kind.severity, found.kind.name, f"{found.count:,}", f"{found.of:,} {found.kind.unit}",
         f"{100 * found.share:.2f}", _detail(found))
        for found in report.findings
    ]  # fmt: skip
    columns = ["severity", "finding", ">count", "of", ">share %", "detail and examples (line: trial)"]
    serious = {found.kind.name: found.kind.meaning for found in report.findings if found.kind.severity in SERIOUS}
    last = [f"{name}: {meaning}" for name, meaning in serious.items()]
    last += [f"not checked: {name}: {why}" for name, why in report.unchecked.items()]
    if audited.clean is not None:
        last.append(f"without offenders: {audited.clean}")
    return [
        f"{report.where}: {_facts(report.facts)}",
        *([table(columns, rows)] if rows else ["nothing was found"]),
        *last,
    ]


def _detail(found) -> str:
    shown = [found.detail] if found.detail else []
    for example in found.examples:
        line = "" if example.line is None else f"{example.line}: "
        text = " ".join(example.trial)
        shown.append(line + (text if len(text) <= SHOWN else f"{text[:SHOWN]}..."))
    return "\n".join(shown)


def _facts(facts) -> str:
    """What the list is, in one line."""
    kind = f"1:{facts['candidates']} {facts['kind']}" if facts["candidates"] else facts["kind"]
    sides = [
        f"{side['distinct']:,} {name} ({side['used_once']:,} used once) of {side['identities']:,} identities"
        f"{_spread(side['per_identity'])}"
        for name, side in (("probes", facts["probes"]), ("items", facts["items"]))
    ]
    return f"{kind} ({facts['format']}), {facts['trials']:,} trials; {'; '.join(sides)}; labels by {facts['labels']}"


def _spread(each) -> str:
    return f" ({each['min']} to {each['max']} each, median {each['median']:g})" if each else ""
