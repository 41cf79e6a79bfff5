"""How sure the means of a batch are, in one sentence at its end."""

from __future__ import annotations

import math
from pathlib import Path

from sim.results.manifest import read_manifest


def how_sure(folder: str | Path) -> str:
    """How well the main measure at the end is known in the case where it is known least; nothing for one seed.

    A case is a config at a point; of several parameter sets it is the mean over them. Cases that lack runs do not
    count.
    """
    if len(read_manifest(folder).seeds) < 2:
        return ""
    import numpy as np  # what follows takes as long as a short batch

    from sim.compare.enough import of_mean
    from sim.compare.intervals import LEVEL, t_quantile
    from sim.compare.results import read_result
    from sim.compare.words import MAIN_MEASURE
    from sim.study.plot.words import Words

    result = read_result(folder)
    names = [name.removesuffix("@end") for name in result.outcomes if name.endswith("@end")]
    measure = MAIN_MEASURE if MAIN_MEASURE in names else names[0]
    values = result.outcomes[f"{measure}@end"]
    cases: dict[object, dict[object, list[float]]] = {}
    keys = result.groups(["config", *result.swept])
    for key, seed, value in zip(keys, result.keys["seed"], values.tolist(), strict=True):
        cases.setdefault(key, {}).setdefault(seed, []).append(value)
    count = max(map(len, cases.values()), default=0)
    if count < 2:
        return ""
    means = [[np.mean(held) for held in by_seed.values()] for by_seed in cases.values() if len(by_seed) == count]
    table = np.array(means, dtype=np.float64)
    spreads = table[~np.isnan(table).any(axis=1)].std(axis=1, ddof=1)
    if not len(spreads):
        return ""
    half = float(spreads.max()) * t_quantile(count - 1, LEVEL) / math.sqrt(count)
    unit = result.manifest.columns[f"{measure}@end"].unit if result.manifest else ""
    where = ", in the case where it is known least," if len(cases) > 1 else ""
    return f"{of_mean(f'the {Words([result]).in_passing(measure)} at the end{where}', half, count, LEVEL, unit)}."
