"""Write docs/systems/<name>.md from the system files, and the table of them.

Run by `make docs`; a test holds the pages to what this would write.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from samoyed.catalog import METHODS, ROWS
from samoyed.claims import claims_of
from samoyed.row import Row
from samoyed.showing import evidence_of

DOCS = Path(__file__).parents[1] / "docs" / "systems"


def page(row: Row) -> str:
    """Return one system's page, in Markdown."""
    system, is_trained = row.load(), row.given != "vectors"
    reference = row.reference
    title, _, rest = inspect.cleandoc(system.__doc__ or "").partition("\n")
    lines = [f"# {row.name}", "", title, ""]
    lines += [f"> {reference}" + (f" <{reference.url}>" if reference.url else ""), ""]
    if reference.review is not None:
        lines += [f"Reference {reference.review} of the review, section “{row.section}”.", ""]
    source = "src/" + row.module.replace(".", "/") + ".py"
    lines += [f"The file: [`{source}`](../../{source})", "", "## The system", ""]
    lines += ["```text", rest.strip(), "```", "", "## Dials", ""]
    lines += ["Set with `--set key=value`.", ""] if is_trained else []
    lines += ["| dial | default |", "|---|---|"]
    lines += [f"| `{key}` | `{value}` |" for key, value in row.dials.items()]
    if len(row.sizes) > 1:
        lines += ["", "Sizes: " + ", ".join(f"`{name}`" for name in row.sizes) + "."]
    return "\n".join([*lines, "", "## Evidence", "", *evidence_lines(row)]) + "\n"


def evidence_lines(row: Row) -> list[str]:
    """Return the evidence as a table."""
    held = {claim["key"]: claim for claim in evidence_of(row.name)}
    lines = ["| claim | paper | ours | status |", "|---|---|---|---|"]
    for claim in claims_of(row.name):
        ours = held.get(claim.key, {"ours": "", "status": "not run"})
        lines.append(f"| {claim.statement} | {claim.paper} | {ours['ours']} | {ours['status']} |")
    return [*lines, "", f"Details: [evidence/{row.name}.md](../../evidence/{row.name}.md)"]


def index() -> str:
    """Return the table of all systems."""
    lines = ["# The canon", "", "| system | year | given | what it is |", "|---|---|---|---|"]
    for row in (*ROWS, *METHODS):
        lines.append(
            f"| [{row.name}]({row.name}.md) | {row.reference.year} | {row.given} | {row.summary} |"
        )
    return "\n".join(lines) + "\n"


def pages() -> dict[str, str]:
    """Return every page by its file name."""
    return {"README.md": index(), **{f"{row.name}.md": page(row) for row in (*ROWS, *METHODS)}}


def main() -> None:
    """Write the pages."""
    DOCS.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (DOCS / name).write_text(re.sub(r"[ \t]+\n", "\n", text))


if __name__ == "__main__":
    main()
