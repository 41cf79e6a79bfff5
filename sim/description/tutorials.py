"""The tutorials, run cell by cell. `python -m sim.description.tutorials` writes what cells print and draw again."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from sim.folders import CHECKOUT

ROOT = CHECKOUT or Path.cwd()  # the installed program is tested in a clone's folder
NOTEBOOKS = sorted((ROOT / "docs/tutorials").glob("*.ipynb"))
LIMIT = 300  # seconds for a cell
OF_THIS_MACHINE = ("version", "codemirror_mode", "nbconvert_exporter")  # of a notebook's language


def executed(path: Path, claims: str = "") -> Any:
    """A notebook with what its cells come to now, run in an empty folder, and what is said while they run left out.

    claims: Python that is run after the last cell. Raises CellExecutionError if a cell or it fails.
    """
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    notebook.cells.append(nbformat.v4.new_code_cell(claims))  # type: ignore[no-untyped-call]
    with tempfile.TemporaryDirectory() as folder:
        resources = {"metadata": {"path": folder}}
        NotebookClient(
            notebook, kernel_name="python3", timeout=LIMIT, resources=resources, record_timing=False
        ).execute()
    notebook.cells.pop()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    for key in OF_THIS_MACHINE:
        notebook.metadata.language_info.pop(key, None)
    return notebook


def words(notebook: Any) -> list[list[str]]:
    """What every cell prints or shows, as text; of drawings that they are there."""
    return [[_text(output) for output in cell.outputs] for cell in notebook.cells if cell.cell_type == "code"]


def _text(output: Any) -> str:
    if output.output_type == "stream":
        return str(output.text)
    return "a drawing" if "image/svg+xml" in output.data else str(output.data["text/plain"])


def write() -> None:
    """Write what every tutorial prints and draws again."""
    import nbformat

    for notebook in NOTEBOOKS:
        nbformat.write(executed(notebook), notebook)  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    write()
