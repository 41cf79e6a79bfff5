"""Seed packs: a segment of the world of crop seeds whose makers have their seed grown by others at their site."""

ASSUMED = "assumed,a test"
NO_CAPITAL = ",,,,"


def firm(id, headquarters, site, output, lag=0):
    return (
        f"{id},{id},{headquarters},{site},packs,{output},{output},{output},{ASSUMED},{lag},0,30,{ASSUMED},{NO_CAPITAL}"
    )


def designer(id, made_from="vegetables", claim=0.25, part=1.0, potential=""):
    grown = f"{potential},{potential},{potential},{ASSUMED}" if potential else ",,,,"
    return f"{id},{made_from},{claim},{claim},{claim},{ASSUMED},{part},{part},{part},{ASSUMED},{grown}"


COLUMNS = [
    "designers,claim,of value,0.001,1,uncertainty,seed in the value of a pack",
    "designers,yield,0 to 1,0,1,uncertainty,seed that can be sold",
    "designers,potential,bn USD a year,0.0001,100,uncertainty,packs that a young maker may sell",
]
HEADER = ",".join(
    [
        "id",
        "made_from",
        *(f"{q}{end}" for q in ("claim", "yield", "potential") for end in ("", "_low", "_high", "_grade", "_source")),
    ]
)
FIRMS = [
    firm("burpee", "USA", "USA", 0.4),
    firm("vilmorin", "EUR", "EUR", 0.3),
    firm("abroad", "CHN", "EUR", 0.05, 1),
    firm("young", "CHN", "CHN", 0.02, 3),
]
DESIGNERS = [designer("burpee"), designer("vilmorin"), designer("abroad"), designer("young", part=0.5, potential=0.2)]
USED = {"CHN": 0.15, "USA": 0.3, "EUR": 0.2, "NLD": 0.02, "JPN": 0.05, "BRA": 0.02, "ROW": 0.03}


def packs(designers=DESIGNERS, firms=FIRMS):
    """The lines that make the segment, by table, as `seeds` takes them."""
    levels = f"1,0.5,2,{ASSUMED}", f"1,0,1,{ASSUMED}", f"1,0,1,{ASSUMED}"
    return {
        "columns": COLUMNS,
        "segments": [",".join(["packs", "Seed packs", "no", *levels])],
        "chip_firms": firms,
        "demand": [f"{state},packs,{use},{use},{use},{ASSUMED}" for state, use in USED.items()],
        "designers": [HEADER, *designers],
    }
