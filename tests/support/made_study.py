"""A result with parameter sets, seeds and a mechanism left out, made up by hand; and a project with one answer."""

from support.made_results import csv_text, scenario, write

from sim.batch.run import run_batch

SHARE = "domestic_supply_share"
NOTE = {"unit": "0 to 1", "meaning": "made up", "direction": "higher", "kind": "ratio"}
CAUTION = "mechanisms.caution"
DESIGN = {"kind": "list", "points": [{"controls.severity": 0.0}, {"controls.severity": 0.8}]}
POINTS = [{**point, CAUTION: caution} for caution in (True, False) for point in DESIGN["points"]]
# By set and seed: the share at each point. Caution on: -0.10 and -0.12 in set 1, -0.30 and -0.28 in set 2.
# Caution off: -0.05 in set 1, +0.01 in set 2.
VALUES = {
    (1, 1): (0.40, 0.30, 0.45, 0.40),
    (1, 2): (0.42, 0.30, 0.47, 0.42),
    (2, 1): (0.50, 0.20, 0.45, 0.46),
    (2, 2): (0.48, 0.20, 0.43, 0.44),
}

# An experiment of four cases and one claim.
HELPS = """
question = "Does a subsidy help?"
prediction = "Yes."
configs = ["published-2020", "no-controls"]
baseline = "published-2020"
replications = 2
[factors]
"subsidy.annual" = [0, 400]
[record]
every = "year"
measures = ["domestic_supply_share", "subsidy_spent"]
[[claims]]
says = "It helps."
measure = "domestic_supply_share@end"
low = 0
terms = [
    { config = "no-controls", "subsidy.annual" = 400 },
    { times = -1, config = "no-controls", "subsidy.annual" = 0 },
]
"""


def made_study(folder, failed=False):
    """A result of four points, two parameter sets and two seeds."""
    outcomes = [f"{SHARE}@{at}" for at in ("end", "2025", "2030", "peak")]
    head = ["run_id", "config", "parameter_set", "seed", *POINTS[0], "status", *outcomes]
    runs, series = [head], [[*head[:4], "date", SHARE]]
    for point, changes in enumerate(POINTS):
        for (parameter_set, seed), shares in VALUES.items():
            keys = [f"neutral-{point + 1}-{parameter_set}-{seed}", "neutral", parameter_set, seed]
            swept = [str(held).lower() for held in changes.values()]
            gone = failed and not runs[1:]
            runs.append([*keys, *swept, "failed" if gone else "done", *(4 * [""] if gone else 4 * [shares[point]])])
            series += [[*keys, f"{year}-12-31", share] for year, share in ((2034, 0.4), (2035, shares[point]))]
    experiment = {
        "name": "made-up",
        "question": "Does <caution> matter?",
        "prediction": "No.",
        "replications": 2,
        "design": DESIGN,
        "swept": ["controls.severity"],
        "leave_out": [CAUTION],
    }
    columns = dict.fromkeys([SHARE, *outcomes], NOTE)
    return made_result(folder, "neutral", runs, series, experiment, {"controls.mode": "events"}, columns)


def made_result(folder, config, runs, series, experiment, values, columns, **changes):
    """A result of one config from the rows of its tables, heads first; `values` are the config's."""
    record = {"every": "year", "measures": series[0][5:]}
    return write(
        folder,
        csv_text(runs),
        config,
        csv_text(series),
        experiment={"configs": [config], "factors": {}, "record": record, **experiment},
        seeds=[*range(1, experiment["replications"] + 1)],
        record=record,
        scenarios=scenario(config, values=values),
        columns=columns,
        **changes,
    )


def answered(root, name, experiment):
    """The folder of a project with one experiment, and its result."""
    (root / "experiments").mkdir()
    path = root / f"experiments/{name}.toml"
    path.write_text(experiment)
    assert run_batch(path, workers=1, out=root / "results" / name) == 0
    return root


def sampled(unknown: str) -> str:
    """The text of an experiment with a small sample of the subsidy and of something else."""
    return f"""
question = "Which lever decides?"
configs = ["no-controls"]
replications = 1
[design]
kind = "sobol"
samples = 4
[factors]
"subsidy.annual" = {{ low = 0, high = 300 }}
{unknown}
[record]
every = "year"
measures = ["domestic_supply_share"]
"""
