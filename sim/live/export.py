"""The screens Futures and Learn as two files that need no server: with answers for the buttons and a grid of levers."""

from __future__ import annotations

import html
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sim import futures
from sim.batch.progress import Progress
from sim.errors import BadInput
from sim.experiment.cost import duration
from sim.live.learn import tour
from sim.results.files import write_aside, writing

STATIC = Path(__file__).parent / "static"
SCRIPTS = ("shared.js", "chart.js", "futures.js", "learn.js", "still.js")
ADVICE = "give another --export"
FUTURES, LEARN = "index.html", "learn.html"
RUNS = 32  # futures of each policy
LEVELS = 5  # of a lever that is a number, evenly over its plausible range, beside the config's own value
WORDS = (
    "This page runs without the program, so it holds a small part of what there is: each lever alone, at a few levels, "
    "and the buttons."
)
Policy = tuple[dict[str, Any], list[str]]  # the levers that are set, and the buttons whose acts are done


def export(config: str, folder: Path) -> str:
    """Write the two files of a config; returns a sentence about them. BadInput, and nothing written, where not."""
    started = time.monotonic()
    prepare(folder)
    settings = futures.settings(config)
    settings["still"] = {"levels": levels(settings), "words": WORDS}
    asked = list(policies(settings))
    answers = []
    with Progress("futures", RUNS * len(asked)) as progress:
        for set_, acts in asked:
            answers.append(futures.answer({"config": config, "set": set_, "acts": acts}, RUNS))
            progress.add(RUNS)
    base = answers[0]["base"]
    held = [[*policy, _without_base(answer)] for policy, answer in zip(asked, answers, strict=True)]
    pages = {
        FUTURES: _page(settings["question"], "still", settings, base, held),
        LEARN: _page("Learn", "learn", settings, tour()),
    }
    with writing(folder, ADVICE):
        for name, text in pages.items():
            write_aside(folder / name, [text.encode()])
    size = sum(len(text.encode()) for text in pages.values()) / 1e6
    return (
        f"{folder / FUTURES}: {len(asked)} policies of {config} with {RUNS} futures each, {size:.1f} MB, "
        f"in {duration(time.monotonic() - started)}. It opens from a disk or any web server."
    )


def prepare(folder: Path) -> None:
    """Make the folder, or see that it may be written to. What else it holds is left alone."""
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"--export = {str(folder)!r}: is a file; give a folder")
    with writing(folder, ADVICE):
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe-{os.getpid()}"
        probe.touch(exist_ok=False)
        probe.unlink()


def levels(settings: dict[str, Any]) -> dict[str, list[Any]]:
    """What each lever that does something can be moved to: its words, or a few values over its range."""
    found: dict[str, list[Any]] = {}
    for lever in settings["levers"]:
        if not lever["effect"]:
            continue
        if lever["choices"]:
            found[lever["key"]] = lever["choices"]
            continue
        width = lever["high"] - lever["low"]
        steps = {round(lever["low"] + width * place / (LEVELS - 1), 6) for place in range(LEVELS)}
        found[lever["key"]] = sorted({*steps, lever["value"]})
    return found


def policies(settings: dict[str, Any]) -> Iterator[Policy]:
    """Every policy that the page can ask for, each once; the first is that nothing is changed."""
    own = {lever["key"]: lever["value"] for lever in settings["levers"]}
    asked: list[Policy] = [({}, [])]
    asked += [(preset["set"], [preset["id"]] if preset["acts"] else []) for preset in settings["presets"]]
    asked += [
        ({key: value}, [])
        for key, values in settings["still"]["levels"].items()
        for value in values
        if value != own[key]
    ]
    for place, policy in enumerate(asked):
        if policy not in asked[:place]:
            yield policy


def _without_base(answer: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in answer.items() if key not in ("base", "number")}


def _page(title: str, screen: str, *arguments: Any) -> str:
    """One page with everything in it; `screen` names the function that fills it."""
    texts = ", ".join(json.dumps(each, allow_nan=False, separators=(",", ":")) for each in arguments)
    scripts = [(STATIC / name).read_text(encoding="utf-8") for name in SCRIPTS]
    scripts.append(f'decoupling.{screen}(document.getElementById("screen"), {texts.replace("</", "<\\/")});')
    return "\n".join(
        (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n<link rel="icon" href="data:,">',
            f"<title>{html.escape(title)} Decoupling Race</title>",
            f"<style>\nbody {{ margin: 0; }}\n{(STATIC / 'screen.css').read_text(encoding='utf-8')}</style>\n</head>",
            '<body>\n<div id="screen"></div>',
            *(f"<script>\n{script}</script>" for script in scripts),
            "</body>\n</html>\n",
        )
    )
