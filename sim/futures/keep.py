"""What can be kept of a future: files that run it again, and the address of one run of it to be watched."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import tomli_w

from sim.calendar import quarter_name
from sim.compare import push
from sim.futures.policy import Policy
from sim.futures.sets import FIRST, parameter_sets
from sim.scenario.loading import known_configs
from sim.scenario.resolved import resolved
from sim.scenario.values import CAUSED


def files(config: str, policy: Policy, seed: int, measures: Sequence[str], apart: bool = False) -> list[dict[str, str]]:
    """The config with the policy and an experiment of the futures that were shown, each with its name and text.

    `apart` has them run with the push held and with it answering too. Nothing where nothing is changed.
    """
    if not policy.events:
        return []
    name = f"{config}-future-{policy.key[:8]}"
    purpose = f"{config} with a policy from {quarter_name(policy.start)} on, kept from the page"
    known = config in known_configs()
    if known:
        text = tomli_w.dumps({"purpose": purpose, "extends": config, "event": [dict(event) for event in policy.events]})
    else:
        text = resolved(replace(policy.changed, purpose=purpose))
    kept = [{"name": f"{name}.toml", "text": text}]
    base = config
    if not known:
        base = f"{config}-base"
        kept.append({"name": f"{base}.toml", "text": resolved(policy.scenario)})
    experiment = _experiment(name, base, policy, seed, measures, apart)
    hint = f"# decoupling batch {name}-experiment.toml, in the folder of {name}.toml\n\n"
    return [*kept, {"name": f"{name}-experiment.toml", "text": hint + tomli_w.dumps(experiment)}]


def _experiment(
    name: str, base: str, policy: Policy, seed: int, measures: Sequence[str], apart: bool
) -> dict[str, Any]:
    content: dict[str, Any] = {
        "question": f"What does the policy of {name} change?",
        "configs": [base if base in known_configs() else f"{base}.toml", f"{name}.toml"],
        "baseline": base,
        "seeds": list(range(seed, seed + FIRST)),
        "record": {"every": "year", "measures": list(measures)},
    }
    if parameter_sets(policy.scenario.world):
        content["parameters"] = "one-each"
    if apart:
        content["factors"] = {CAUSED: sorted(push.LEVELS.values())}
    return content


def watch_query(config: str, policy: Policy, seed: int) -> str:
    """The query of the page that runs the policy quarter by quarter, stopped just before it begins."""
    query = [("config", config), ("seed", str(seed))]
    for event in policy.events:
        query.append(("event", json.dumps(dict(event), separators=(",", ":"), default=str)))
    query.append(("at", quarter_name(policy.start - 1)))
    return "?" + urlencode(query)
