"""Settings and answers of the screen Futures, made by hand: two measures, four years, three levers, three buttons."""

LINE = ("line", "median", "q05", "q25", "q75", "q95")


def measure(**values):
    assert tuple(values) == LINE
    return values


BASE = {
    "share": measure(
        line=[0.1, 0.12, 0.14, 0.16],
        median=[0.1, 0.12, 0.15, 0.17],
        q05=[0.09, 0.1, 0.11, 0.12],
        q25=[0.1, 0.11, 0.13, 0.15],
        q75=[0.1, 0.13, 0.17, 0.19],
        q95=[0.11, 0.14, 0.19, 0.22],
    ),
    "gap": measure(
        line=[3.0, 2.9, 2.8, 2.7],
        median=[3.0, 2.9, 2.8, 2.7],
        q05=[2.0] * 4,
        q25=[2.5] * 4,
        q75=[3.0] * 4,
        q95=[3.5] * 4,
    ),
}
POLICY = {
    "share": measure(
        line=[0.1, 0.12, 0.2, 0.3],
        median=[0.1, 0.12, 0.21, 0.31],
        q05=[0.09, 0.1, 0.15, 0.2],
        q25=[0.1, 0.11, 0.18, 0.25],
        q75=[0.1, 0.13, 0.25, 0.35],
        q95=[0.11, 0.14, 0.3, 0.4],
    ),
    "gap": BASE["gap"],
}
DIFFERENCES = {
    "share": {
        "2030": {"median": 0.049, "low": 0.04, "high": 0.061, "pairs": 32},
        "2035": {"median": -0.02, "low": -0.03, "high": 0.01, "pairs": 32},
    },
    "gap": {"2030": {"median": 0.0, "low": None, "high": None, "pairs": 32}, "2035": None},
}


NUMBER = {"choices": [], "unit": "bn yuan a year", "percent": False, "minimum": 0.0, "maximum": 2000.0}
SLIDER = {"low": 0.0, "high": 400.0, "step": 5.0}
WORDS = {
    "group": "Levers",
    "meaning": "what it is",
    "source": "a table",
    "grade": "assumed",
    "example": "the first fund",
}


def lever(key, label, value, **more):
    effect = {"effect": True, "why_not": ""}
    return {"key": key, "label": label, "value": value, **NUMBER, **SLIDER, **WORDS, **effect, **more}


LEVERS = [
    lever("subsidy.annual", "subsidy <b>", 0.0),
    lever("mandate.domestic", "mandate", 0.0, unit="0 to 1", percent=True, maximum=1.0, high=0.5, step=0.01),
    lever("controls.mode", "mode", "events", choices=["events", "none"], low=None, high=None, unit="word"),
    lever(
        "controls.doctrine",
        "doctrine",
        "ratchet",
        choices=["ratchet", "preventive"],
        low=None,
        high=None,
        effect=False,
        why_not="It takes mode reactive.",
    ),
]
SETTINGS = {
    "question": "Can Ruritania make its own chips?",
    "config": "made",
    "purpose": "A config of a test",
    "invented": True,
    "configs": [
        {"name": "made", "purpose": "A config of a test", "invented": True},
        {"name": "other", "purpose": "Another", "invented": False},
    ],
    "target": "Ruritania",
    "goods": "chips",
    "goal": {"share": 0.7, "year": 2023},
    "dates": {"first": 2020, "last": 2023, "from": ["2021-Q1", "2022-Q1"], "default_from": "2022-Q1"},
    "levers": LEVERS,
    "presets": [
        {"id": "as-it-is", "label": "As it is", "meaning": "nothing", "set": {}, "acts": []},
        {"id": "fund", "label": "A fund", "meaning": "money", "set": {"subsidy.annual": 200}, "acts": []},
        {"id": "truce", "label": "Truce", "meaning": "peace", "set": {}, "acts": [{"kind": "truce"}]},
    ],
    "measures": [
        {"name": "share", "label": "Chips made", "unit": "0 to 1", "percent": True, "meaning": "chips made there"},
        {"name": "gap", "label": "Gap", "unit": "years", "percent": False, "meaning": "years behind"},
    ],
    "published": {"share": [{"date": "2020-12-31", "value": 0.105, "source": "An almanac"}]},
    "marks": [{"date": "2022-10-07", "by": "Elsewhere", "label": "Elsewhere: 70 % of tools"}],
    "trust": ["It was wrong before.", "It may be wrong again."],
    "futures": "Made by hand.",
}


def answer(number=1, changed=True, **more):
    """An answer of 32 futures, of a policy or of none."""
    sentence = [
        {"text": "It makes ", "role": ""},
        {"text": "31 %", "role": "policy"},
        {"text": " of them.", "role": ""},
    ]
    return {
        "number": number,
        "key": "k1",
        "from": "2022-Q1",
        "runs": 32,
        "dates": ["2020-12-31", "2021-12-31", "2022-12-31", "2023-12-31"],
        "base": BASE,
        "policy": POLICY if changed else None,
        "differences": DIFFERENCES if changed else None,
        "sentence": sentence,
        "warnings": ["Much is wanted and not to be had."],
        "parts": None,
        "parts_words": "",
        "levers": {each["key"]: {name: each[name] for name in ("value", "effect", "why_not")} for each in LEVERS},
        "watch": "?config=made&seed=1",
        "files": [{"name": "made.toml", "text": "purpose = 'kept'\n"}],
        "more": False,
        "fault": "",
        "field": "",
        **more,
    }
