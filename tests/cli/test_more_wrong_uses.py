"""Wrong uses that take a result, a link, an odd file or odd surroundings: a sentence, no traceback, nothing written."""

import os
import shutil

import pytest
from support.batches import small
from support.made_results import vouch

from sim.batch.run import run_batch

ASKED = """question = "?"
configs = ["no-controls"]
replications = 2
[factors]
"subsidy.annual" = [0.0, 100.0]
[record]
every = "year"
measures = ["domestic_supply_share", "chip_market", "price_index"]
"""
HEAD = 'question = "?"\nconfigs = ["published-2020"]\nreplications = 2\n'
CONFIG = 'purpose = "?"\nextends = "published-2020"\n'
FIGURES = "measure,date,value,unit,error,source,use\n"
SAMPLED = HEAD + '[design]\nkind = "sobol"\n{}\n[factors]\n"subsidy.annual" = {{ low = 0.0, high = 9.0 }}\n'
FILES = {
    "datetime.toml": f"{CONFIG}controls.start = 2020-01-01T00:00:00Z\n",
    "event-time.toml": f'{CONFIG}[[event]]\ndate = 2024-01-01T00:00:00Z\nby = "USA"\nkind = "truce"\n',
    "event-list.toml": f"{CONFIG}event = [[], 1, {{ }}]\n",
    "base-list.toml": 'purpose = "?"\nextends = ["published-2020"]\n',
    "base-folder.toml": 'purpose = "?"\nextends = ".."\n',
    "purpose.toml": 'purpose = ["?"]\nextends = "published-2020"\n',
    "market.toml": f"{CONFIG}[demand]\nmarket_bn_usd = {{ 2021 = -1 }}\n",
    "x-time.toml": HEAD.replace('"?"', "2020-01-01"),
    "x-true.toml": HEAD.replace("= 2\n", "= true\n"),
    "x-folder.toml": HEAD.replace('"published-2020"', '"r"'),
    "x-itself.toml": HEAD.replace('"published-2020"', '"x-itself.toml"'),
    "x-switch.toml": f'{HEAD}[factors]\n"mechanisms.talent" = [0, 1]\n',
    "x-world.toml": f'{HEAD}[factors]\n"world" = ["china-2020", "crop-seeds"]\n',
    "x-zero.toml": SAMPLED.format("samples = 0"),
    "x-float.toml": SAMPLED.format("samples = 64.0"),
    "x-odd.toml": SAMPLED.format("samples = 63"),
    "x-many.toml": SAMPLED.format(f"samples = {2**40}"),
    "x-both.toml": SAMPLED.format("samples = 4\ntrajectories = 4"),
    "x-seed.toml": SAMPLED.format("samples = 4\nseed = -1"),
    "x-odd-levels.toml": SAMPLED.replace("sobol", "morris").format("trajectories = 4\nlevels = 3"),
    "x-list.toml": f'{HEAD}[design]\nkind = "list"\npoints = [{{ a = {"{ a = " * 90}1{"}" * 90} }}]\n',
    "x-claim.toml": f'{HEAD}[[claims]]\nsays = "?"\nmeasure = "x"\nterms = [{{}}]\nlargest = "a"\nof = "b"\n',
    "x-stop.toml": f'{HEAD}[stop]\nwhen = "domestic_supply_share >= nan"\n',
    "x-target.toml": f'{HEAD}targets = ["domestic_supply_share@1999 >= 0.5"]\n',
    "x-percent.toml": f'{HEAD}targets = ["domestic_supply_share@2030 >= 30"]\n',
    "x-stop-percent.toml": f'{HEAD}[stop]\nwhen = "domestic_supply_share >= 70"\n',
    "x-claim-config.toml": f'{HEAD}[[claims]]\nsays = "?"\nmeasure = "domestic_supply_share@end"\nlow = 0\n'
    'terms = [{ config = "published-2020.toml" }]\n',
    "x-claim-measure.toml": f'{HEAD}[[claims]]\nsays = "?"\nmeasure = "share@end"\nlow = 0\n'
    'terms = [{ config = "published-2020" }]\n',
    "x-leave.toml": f'{HEAD}leave_out = ["subsidy.annual"]\n',
    "x-worlds.toml": HEAD.replace('"published-2020"', '"published-2020", "mine.toml"'),
    "mine.toml": 'purpose = "?"\nextends = "neutral"\nworld = "crop-seeds"\n',
    "figures-empty.csv": "",
    "figures-head.csv": FIGURES,
    "figures-date.csv": f"{FIGURES}domestic_supply_share,2021-02-30,10,percent,1,x,fit\n",
    "figures-text.csv": f"{FIGURES}domestic_supply_share,2021-12-31,ten,percent,1,x,fit\n",
    "figures-twice.csv": FIGURES + "domestic_supply_share,2021-12-31,10,percent,1,x,fit\n" * 2,
    "figures-16.csv": FIGURES.encode("utf-16"),
    "quote.csv": 'a,b\n1,"2\n',
    "long.csv": f"a,b\n1,{'9' * 200_000}\n",
    "zero.csv": b"a,b\n" + b"1,2\n" * 2000 + b"1,\0\n",
    "names.csv": "a,a\n1,2\n",
    "status.csv": "run_id,config,parameter_set,seed,status,x@end\nc-1-0-1,c,0,1,Done,1\n",
    "huge.csv": f"run_id,config,parameter_set,seed,status,x@end\nc-1-0-1,c,0,1,done,{'9' * 400}\n",
}
DAMAGED = {  # a table of the result, and what becomes of its text
    "no-dates": ("series.csv", lambda text: text.replace("2020-12-31", "2020-13-31")),
    "dates-twice": ("series.csv", lambda text: text.replace("2021-12-31", "2020-12-31")),
    "no-such-run": ("series.csv", lambda text: text.replace("no-controls-1-0-1,", "no-controls-9-0-1,")),
    "head-alone": ("runs.csv", lambda text: text.splitlines()[0] + "\n"),
    "all-failed": ("runs.csv", lambda text: text.replace(",done,", ",failed,")),
    "no-seed": ("runs.csv", lambda text: text.replace(",seed,", ",seeds,")),
    "twice": ("runs.csv", lambda text: text + text.splitlines()[1] + "\n"),
}
CASES = [
    *(["check", name] for name in FILES if name.endswith(".toml") and name != "mine.toml"),
    *(["batch", name, "--workers", "1"] for name in FILES if name.startswith("x-")),
    *(["study", "validate", "historic", "--observations", name] for name in FILES if name.startswith("figures")),
    *(["compare", name, name] for name in ("status.csv", "huge.csv")),
    *(["compare", name, name, "--key", "a"] for name in ("quote.csv", "long.csv", "zero.csv", "names.csv")),
    *(["compare", "r", name] for name in DAMAGED),
    *(["compare", "r", name] for name in ("tables-are-folders", "manifest-is-folder", "manifest-gone", "pipe")),
    ["compare", "r", "r", "--out", "to-a-file"],
    ["compare", "r", "r", "--out", "to-nothing/x\0"],
    ["compare", "r", "r", "--at", "2021-02-30"],
    ["compare", "r", "r", "--at", "2019"],
    ["compare", "r", "r", "--by", "segment", "--measure", "price_index", "--reach", "price_index>=1e400"],
    ["compare", "r", "r", "--margin", "domestic_supply_share=-0.1"],
    ["run", "r"],
    ["run", "published-2020", "--until", "2020", "--out", "r"],
    ["run", "published-2020", "--until", "2020", "--out", "to-a-file"],
    ["run", "published-2020", "--set", "subsidy.annual=١"],
    ["run", "published-2020", "--set", "subsidy.annual=0x10000"],
    ["run", "published-2020", "--set", "mechanisms.talent=1"],
    ["batch", "r"],
    ["batch", "asked.toml", "--out", "to-a-file"],
    ["batch", "asked.toml", "--out", "asked.toml"],
    ["batch", "asked.toml", "--out", "blocks-are-a-link"],
    ["show", "r"],
    ["show", "r/runs.csv", "--resolved"],
    ["list", "measures", "--config", "asked.toml"],
    ["list", "parameters", "--config", "r"],
    ["rerun", "r", "no-controls-9-0-9"],
    ["rerun", "r", ""],
    ["rerun", "manifest-gone", "no-controls-1-0-1"],
    ["rerun", "tables-are-folders", "no-controls-1-0-1"],
    ["rerun", "r/runs.csv", "no-controls-1-0-1"],
    ["rerun", "r", "no-controls-1-0-1", "--record", ""],
    ["rerun", "r", "no-controls-1-0-1", "--out", "asked.toml"],
    ["rerun", "r", "no-controls-1-0-1", "--every", "month"],
    ["run", "--parameter-set", "999"],
    ["run", "--parameter-set", "two"],
    ["study", "sensitivity", "r"],
    ["study", "sensitivity", "r", "--measure", ""],
    ["study", "discover", "r", "--target", "domestic_supply_share >= 0.5 and chip_market >= 1"],
    ["study", "discover", "r", "--target", "domestic_supply_share@1999 >= 0.5"],
    ["study", "report", "r", "manifest-gone"],
    ["study", "report", "r", "--out", "to-a-file"],
    ["study", "review", "r"],
    ["study", "review", "--year", "2036"],
    ["study", "validate", "asked.toml"],
    ["study", "calibrate", "asked.toml"],
]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A working folder with a finished result, damaged copies of it, links, and files that are wrong in one thing."""
    root = tmp_path_factory.mktemp("wrong")
    (root / "asked.toml").write_text(ASKED)
    assert run_batch(root / "asked.toml", workers=1, out=root / "r", build=small) == 0
    for name, content in FILES.items():
        (root / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    for name, (table, damage) in DAMAGED.items():
        shutil.copytree(root / "r", root / name)
        text = (root / name / table).read_text()
        assert damage(text) != text
        (root / name / table).write_text(damage(text))
        vouch(root / name)
    for name in ("tables-are-folders", "manifest-is-folder", "manifest-gone", "blocks-are-a-link"):
        shutil.copytree(root / "r", root / name)
    (root / "tables-are-folders" / "runs.csv").unlink()
    (root / "tables-are-folders" / "runs.csv").mkdir()
    for name in ("manifest-is-folder", "manifest-gone"):
        (root / name / "manifest.json").unlink()
    (root / "manifest-is-folder" / "manifest.json").mkdir()
    (root / "blocks-are-a-link" / ".lock").symlink_to(root / "asked.toml")
    (root / "blocks-are-a-link" / "runs.csv").unlink()
    (root / "to-a-file").symlink_to(root / "asked.toml")
    (root / "to-nothing").symlink_to(root / "nowhere")
    os.mkfifo(root / "pipe")
    return root


def test_there_are_more_than_forty():
    assert len(CASES) > 80


@pytest.mark.parametrize("arguments", CASES, ids=" ".join)
def test_a_wrong_use_is_a_sentence(made, answer, monkeypatch, arguments):
    monkeypatch.chdir(made)
    before = set(made.rglob("*"))
    files = {path: path.read_bytes() for path in made.iterdir() if path.is_file()}
    said = answer(*arguments)
    assert said.code in (2, 3) and said.out == ""
    assert said.err.strip() and "Traceback" not in said.err and "internal" not in said.err
    assert all(len(line) < 1200 for line in said.err.splitlines())
    assert set(made.rglob("*")) == before
    assert {path: path.read_bytes() for path in files} == files
