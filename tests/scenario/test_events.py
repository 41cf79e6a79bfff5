"""The grammar of events: what is refused, with a sentence each, and what a word is taken to mean."""

import datetime
import tomllib

import pytest
import tomli_w

from sim.calendar import LAST_YEAR, quarters_until
from sim.errors import BadInput
from sim.scenario.loading import load_config
from sim.world.world import load_world

CONTROL = {"date": "2027-01-01", "by": "USA", "kind": "control", "scope": ["deposition"], "severity": 0.5}


def said(**changes):
    """The sentences about a control with these changes."""
    with pytest.raises(BadInput) as fault:
        load_config("published-2020").with_event({**CONTROL, **changes})
    return fault.value.problems


def event(**changes):
    return load_config("published-2020").with_event({**CONTROL, **changes}).events[-1]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"through": ["TWM"]}, ["through = 'TWM'", "'TWN'", "states are CHN, USA"]),
        ({"through": ["CHN"]}, ["through = 'CHN'", "other than the target CHN"]),
        ({"through": ["USA"]}, ["through = 'USA'", "the one that decides, USA"]),
        ({"through": []}, ["through = []", "a list of other states"]),
        ({"through": ["TWN"], "kind": "truce"}, ["a truce takes no through"]),
        ({"lines": ["matur_logic"]}, ["lines = 'matur_logic'", "'mature_logic'"]),
        ({"lines": ["deposition"]}, ["lines = 'deposition'", "is not a segment"]),
        ({"lines": []}, ["lines = []", "a list of segments"]),
        ({"lines": ["memory"], "scope": ["memory"]}, ["lines: are for inputs", "memory in scope"]),
        ({"lines": ["memory"], "scope": ["deposition", "experts"]}, ["lines: are for inputs", "experts in scope"]),
        ({"scope": ["all", "deposition"]}, ['"all" stands alone', "leave out deposition"]),
        ({"until": "2027-03-01"}, ["until = 2027-03-01", "later quarter than date 2027-01-01, 2027-Q1"]),
        ({"until": "2026-01-01"}, ["until = 2026-01-01", "later quarter"]),
        ({"until": 2028}, ["until = 2028", "a date such as"]),
    ],
)
def test_what_cannot_be_is_refused_with_one_sentence(changes, words):
    (sentence,) = said(**changes)
    assert all(word in sentence for word in words), sentence


@pytest.mark.parametrize(
    ("word", "item"),
    [
        *((word, "critical_minerals") for word in ("gallium", "Germanium", "antimony", "rare earths", "rare_earths")),
        ("galium", "critical_minerals"),
        ("EDA", "design_software"),
        ("EUV", "lithography"),
        ("photoresists", "photoresist"),
        ("silicon wafers", "wafers"),
        ("DRAM", "memory"),
        ("HBM", "hbm"),
        ("GPUs", "ai_accelerators"),
        ("Ion implantation", "ion_implantation"),
        ("US persons", "experts"),
        ("ALL", "all"),
    ],
)
def test_an_everyday_word_suggests_what_is_meant(word, item):
    (sentence,) = said(scope=[word])
    assert f"scope = {word!r}: is not an input or a segment (did you mean {item!r}?)" in sentence


@pytest.mark.parametrize("word", ["wall", "al", "tall", "embargo", "everything", "gall", "metal"])
def test_no_slip_is_taken_for_everything(word):
    (sentence,) = said(scope=[word])
    assert "'all'" not in sentence


def test_a_kind_stands_for_its_inputs():
    (sentence,) = said(scope=["tools"])
    assert sentence.endswith("test_equipment, assembly_equipment") and "lithography, deposition" in sentence
    (answer,) = said(by="CHN", kind="retaliation", scope=["US persons"])
    assert "experts" not in answer


def test_every_everyday_word_stands_for_something_once():
    world = load_world("china-2020")
    known = {*world.inputs, *world.segments, *world.kinds, "experts"}
    assert set(world.words.values()) == known - {"software"}
    assert not set(world.words) & known


def test_a_word_for_what_no_table_has_is_refused(tmp_path):
    path = tmp_path / "world"
    path.mkdir()
    folder = load_world("crop-seeds").folder
    for file in folder.iterdir():
        (path / file.name).write_bytes(file.read_bytes())
    (path / "about.toml").write_text('goods = "seeds"\n[words]\nfetilizer = ["manure"]\n')
    with pytest.raises(BadInput, match=r"about.toml: words.fetilizer: is not an input"):
        load_world(str(path))
    (path / "about.toml").write_text('goods = "seeds"\n[spoken]\nfetilizer = "manure"\n')
    with pytest.raises(BadInput, match=r"about.toml: spoken.fetilizer: is not an input"):
        load_world(str(path))


def test_a_control_ends_before_the_quarter_of_until():
    assert event(until="2028-04-01").ended_quarter == quarters_until(2027) + 1
    assert event().ended_quarter == quarters_until(LAST_YEAR)


def test_an_event_survives_its_file():
    whole = event(through=["TWN", "KOR"], lines="mature_logic", until="2029-01-01", announced="2026-06-01")
    entry = tomllib.loads(tomli_w.dumps({"event": [whole.as_table()]}))["event"][0]
    assert entry["lines"] == ["mature_logic"] and entry["until"] == datetime.date(2029, 1, 1)
    assert load_config("published-2020").with_event(entry).events == (whole,)
    base = load_config("published-2020").with_event(entry)
    assert type(base).from_dict(base.as_dict(), "manifest.json").hash == base.hash


def test_what_is_not_given_leaves_the_hash_alone():
    kept = load_config("historic").as_dict()["events"]
    assert "through" not in kept[1] and "lines" not in kept[1] and "until" not in kept[1]


OUTAGE = {"date": "2027-01-01", "by": "CHN", "kind": "outage", "scope": ["smic-chn-mature"], "severity": 1.0}
CLOSURE = {"date": "2027-01-01", "by": "CHN", "kind": "closure", "scope": ["smic-chn-mature"]}
MOVE = {"date": "2027-01-01", "by": "KOR", "kind": "move", "scope": ["samsung-chn-memory"], "to": "KOR"}
WITHDRAWAL = {"date": "2027-01-01", "by": "KOR", "kind": "withdrawal"}


def without(entry, key):
    return {name: held for name, held in entry.items() if name != key}


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (
            OUTAGE | {"scope": ["smic-chn-matur"]},
            ["scope = 'smic-chn-matur'", "or states", "'smic-chn-mature'"],
        ),
        (OUTAGE | {"scope": ["tsmcc"]}, ["scope = 'tsmcc'", "did you mean 'tsmc'?"]),
        (without(OUTAGE, "scope"), ["scope is missing; an outage names"]),
        (OUTAGE | {"until": "2027-02-01"}, ["until = 2027-02-01", "later quarter than date 2027-01-01"]),
        (OUTAGE | {"to": "KOR"}, ["to: an outage takes no to"]),
        (
            CLOSURE | {"scope": ["jpn-photoresist"]},
            ["scope = 'jpn-photoresist': a closure names chip firms"],
        ),
        (CLOSURE | {"scope": ["KOR"]}, ["scope = 'KOR': a closure names chip firms or companies"]),
        (CLOSURE | {"severity": 0.5}, ["severity: a closure takes no severity; leave it out"]),
        (CLOSURE | {"until": "2029-01-01"}, ["until: a closure takes no until"]),
        (
            {key: held for key, held in MOVE.items() if key != "to"},
            ["to is missing; a move needs a state, or the chip firm"],
        ),
        (MOVE | {"to": "KORE"}, ["to = 'KORE': is neither a state nor a chip firm", "'KOR'"]),
        (MOVE | {"to": 5}, ['to = 5: must be a state, such as "NLD", or a chip firm']),
        (MOVE | {"to": "CHN"}, ["to = 'CHN': samsung-chn-memory is in CHN already"]),
        (MOVE | {"to": "cxmt-chn-memory"}, ["to = 'cxmt-chn-memory': samsung-chn-memory is in CHN already"]),
        (MOVE | {"to": "JPN"}, ["to = 'JPN': no firm headquartered in KOR makes memory there", "name the chip firm"]),
        (MOVE | {"to": "samsung-kor-mature"}, ["makes mature_logic, and samsung-chn-memory makes memory"]),
        (WITHDRAWAL | {"by": "JPN"}, ["by = 'JPN': no chip firm headquartered there has lines in CHN"]),
        (WITHDRAWAL | {"by": "CHN"}, ["by = 'CHN': must be another state than CHN, which its firms leave"]),
        (WITHDRAWAL | {"by": "KOE"}, ["by = 'KOE': is not a state"]),
        (WITHDRAWAL | {"scope": ["memory"]}, ["scope: a withdrawal takes no scope"]),
    ],
)
def test_makers_that_cannot_be_out_or_leave_are_refused_with_one_sentence(entry, words):
    with pytest.raises(BadInput) as fault:
        load_config("published-2020").with_event(entry)
    (sentence,) = fault.value.problems
    assert all(word in sentence for word in words), sentence


@pytest.mark.parametrize("entry", [OUTAGE | {"until": "2029-01-01"}, CLOSURE, MOVE, WITHDRAWAL | {"to": "KOR"}])
def test_what_happens_to_makers_is_written_as_it_is_read(entry):
    table = load_config("published-2020").with_event(entry).events[-1].as_table("json")
    assert table == entry


def test_an_outage_that_does_not_say_how_long_ends_after_a_year():
    scenario = load_config("published-2020")
    ends = [scenario.with_event(OUTAGE | more).events[-1].ended_quarter for more in ({}, {"until": "2029-01-01"})]
    assert ends == [32, 36]
