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
from sim.futures.sets import FIRST, pairs, parameter_sets
from sim.scenario.loading import known_configs
from sim.scenario.resolved import resolved
from sim.scenario.values import CAUSED


def files(config: str, policy: Policy, seed: int, measures: Sequence[str], ends: bool = False) -> list[dict[str, str]]:
    """The config with the policy and an experiment of the futures that were shown, each with its name and text.

    `config` is what it was asked for by, a name that everybody has or a path; of a path the files need nothing.

    With `ends` another experiment too: the same with the push held and with it answering. Nothing where nothing is
    changed.
    """
    if not policy.events:
        return []
    own = policy.scenario.name
    name = f"{own}-future-{policy.key[:8]}"
    purpose = f"{own} with a policy from {quarter_name(policy.start)} on, kept from the page"
    base, kept = config, []
    if config in known_configs():
        table = {"purpose": purpose, "extends": config, "event": [dict(event) for event in policy.events]}
        text = tomli_w.dumps(table)
    else:
        base, text = f"{own}-base", resolved(replace(policy.changed, purpose=purpose))
        kept = [_file(base, resolved(policy.scenario))]
    experiment: dict[str, Any] = {
        "question": f"What does the policy of {name} change?",
        "configs": [base if base == config else f"{base}.toml", f"{name}.toml"],
        "baseline": base,
        **({"replications": FIRST} if seed == 1 else {"seeds": list(range(seed, seed + FIRST))}),
        "record": {"every": "year", "measures": list(measures)},
    }
    hint = "every run is a future of the page"
    if parameter_sets(policy.scenario.world):
        experiment |= {"parameters": "ensemble", "sets": FIRST}
        chosen = ", ".join(f"{number} and {luck}" for number, luck in pairs(policy.scenario.world, FIRST, seed))
        hint = f"the futures of the page are its runs with these parameter sets and seeds: {chosen}"
    asked = {"experiment": experiment}
    if ends:
        asked["bite-and-total"] = {**experiment, "factors": {CAUSED: sorted(push.LEVELS.values())}}
    for kind, content in asked.items():
        head = f"# decoupling batch {name}-{kind}.toml\n# In one folder with {name}.toml; {hint}.\n\n"
        kept.append(_file(f"{name}-{kind}", head + tomli_w.dumps(content)))
    return [_file(name, text), *kept]


def _file(name: str, text: str) -> dict[str, str]:
    return {"name": f"{name}.toml", "text": text}


def watch_query(config: str, policy: Policy, seed: int) -> str:
    """The query of the page that runs the policy quarter by quarter, stopped just before it begins."""
    query = [("config", config), ("seed", str(seed))]
    for event in policy.events:
        query.append(("event", json.dumps(dict(event), separators=(",", ":"), default=str)))
    query.append(("at", quarter_name(policy.start - 1)))
    return "?" + urlencode(query)
