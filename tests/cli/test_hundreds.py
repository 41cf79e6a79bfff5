"""Hundreds of wrong uses of every verb: exit 2 or 3, a sentence, no traceback, nothing written, nothing executed."""

import contextlib

import pytest

LONG = "x" * 5000
EXPERIMENT = 'question = "?"\nconfigs = ["published-2020"]\nreplications = 1\n'
FILES = {
    # configs
    "deep.toml": f'purpose = "?"\na = {"[" * 3000}{"]" * 3000}\n',
    "deep-key.toml": f'purpose = "?"\n{".".join("a" * 5000)} = 1\n',
    "deep-table.toml": f'purpose = "?"\na = {"{a = " * 900}1{"}" * 900}\n',
    "empty.toml": "",
    "bytes.toml": bytes(range(256)),
    "words.toml": "purpose = 5\nextends = 5\nworld = 5\n",
    "lists.toml": 'purpose = "?"\nevent = 5\n[controls]\nseverity = [1]\nmode = { a = 1 }\nstart = 1e999\n',
    "event.toml": 'purpose = "?"\n[[event]]\ndate = "x"\nby = 5\nkind = 5\nscope = 5\nset = 5\n',
    "lever.toml": 'purpose = "?"\n[[event]]\ndate = 2024-01-01\nby = "USA"\nkind = "lever"\nset = { x = [1] }\n',
    "scope.toml": 'purpose = "?"\n[[event]]\ndate = 2024-01-01\nby = "USA"\nkind = "control"\nscope = [5, [1]]\n',
    "synthetic.toml": 'purpose = "?"\nworld = "synthetic"\n[synthetic]\nfirms = "x"\nsectors = -1\nseed = 1e30\n',
    "null-world.toml": 'purpose = "?"\nworld = "\\u0000"\n',
    "null-base.toml": 'purpose = "?"\nextends = "\\u0000"\n',
    "long-world.toml": f'purpose = "?"\nworld = "{LONG}"\n',
    "market.toml": 'purpose = "?"\n[demand.market_bn_usd]\n2021 = "x"\n1 = 2\nx = nan\n',
    "=formula.toml": 'purpose = "?"\nextends = "published-2020"\n',
    # experiments
    "x-words.toml": 'question = "?"\nconfigs = "historic"\nreplications = "many"\n',
    "x-empty.toml": 'question = ""\nconfigs = []\nreplications = 1.5\n',
    "x-factors.toml": f"{EXPERIMENT}factors = 5\n",
    "x-nan.toml": f'{EXPERIMENT}[factors]\n"subsidy.annual" = [nan, inf]\n',
    "x-mixed.toml": f'{EXPERIMENT}[factors]\n"subsidy.annual" = [[1], {{ a = 1 }}, "x", true, 2020-01-01]\n',
    "x-stop.toml": f"{EXPERIMENT}[stop]\nwhen = 5\n",
    "x-stop-sense.toml": f'{EXPERIMENT}[stop]\nwhen = "domestic_supply_share > 0.7"\n',
    "x-claims.toml": f'{EXPERIMENT}claims = [{{ says = 5 }}]\ntargets = ["x"]\nleave_out = ["y"]\n',
    "x-parts.toml": f"{EXPERIMENT}parts = {{}}\n",
    "x-part.toml": f'{EXPERIMENT}[parts.a]\nx = 1\n[parts."b\\u001b"]\n[parts.c.factors]\n"x" = [1]\n',
    "x-seeds.toml": EXPERIMENT.replace("= 1\n", f"= {'9' * 30}\n"),
    "x-points.toml": f'{EXPERIMENT}[design]\nkind = "list"\npoints = [5]\n',
    "x-kinds.toml": f"{EXPERIMENT}[design]\nkind = 5\n[record]\nevery = 5\nmeasures = 5\n",
    "x-range.toml": f'{EXPERIMENT}[factors]\n"subsidy.annual" = {{ low = 1e400, high = 2 }}\n"x.y" = "x"\n',
    "x-paths.toml": EXPERIMENT.replace('"published-2020"', '"../../etc/passwd", "", ".", "/", "folder.toml"'),
    "x-deep.toml": f'{EXPERIMENT}[factors]\n"subsidy.annual" = {"[" * 400}1{"]" * 400}\n',
    # others
    "waves.toml": 'question = "?"\nwaves = 5\n',
    "waves-words.toml": 'question = "?"\nconfigs = ["historic"]\n[waves]\nsamples = "x"\n',
    "text": "hello",
    "table.csv": "a,b\n1,2\n",
}
CONFIGS = [name for name in FILES if name.endswith(".toml") and not name.startswith(("x-", "waves"))]
EXPERIMENTS = [name for name in FILES if name.startswith("x-")]
NO_FILES = [
    "",
    LONG,
    "a\x1b[31m",
    ".",
    "/",
    "folder.toml",
    "empty-folder",
    "text",
    "table.csv",
    "~nobody",
    "-",
    "é" * 300,
]
SETTINGS = [
    "", "=", "=5", "a=b=c", "subsidy.annual=nan", "subsidy.annual=1e999", f"subsidy.annual={'9' * 5000}", f"{LONG}=1",
    f"{'.'.join('a' * 3000)}=1", f"subsidy={{annual={'[' * 2000}}}", "subsidy.annual=\x1b[1m", f"world={LONG}",
    "controls=1", "controls.mode=[1]", "controls.severity=0.5\nx=1", "world=/", "world=5", "lumped=5",
    "synthetic.firms=5", "demand.market_bn_usd.x=5", "event=[]", "controls.mode={a=1}",
]  # fmt: skip
COMPARED = [
    ["--at", "x"], ["--at", ""], ["--at", "9" * 20], ["--margin", "x"], ["--margin", "-1"], ["--margin", "nan"],
    ["--margin", "b=x"], ["--margin", ""], ["--margin", "=5"], ["--margin", "1%%"], ["--reach", "x"], ["--reach", ""],
    ["--reach", "b>=nan"], ["--key", "x"], ["--key", ""], ["--key", "bogus=a"], ["--key", "seed=a", "--key", "seed=b"],
    ["--key", "a", "--measure", "x"], ["--key", "a", "--measure", ""], ["--level", "2"], ["--level", "nan"],
    ["--level", "0"], ["--rtol", "1"], ["--exact", "--rtol", "nan"], ["--exact", "--rtol", "-1"],
    ["--exact", "--atol", "x"], ["--by", "x"], ["--fail-on", "x"], ["--format", "xml"],
    ["--key", "a", "--out", "text"],
]  # fmt: skip
STUDIES = (["sensitivity"], ["discover", "--target", "x>=1"], ["report"])
CASES = {
    "nothing": [[""], [LONG], ["--bogus"], ["study"], ["study", "x"], ["run", "a", "b"], ["run", "-x"]],
    "configs": [[verb, name] for name in CONFIGS for verb in ("run", "check")]
    + [["show", name, "--resolved"] for name in CONFIGS],
    "no files": [[verb, name] for name in NO_FILES for verb in ("run", "batch", "check", "show")],
    "settings": [["run", "--set", text] for text in SETTINGS] + [["run", "--set", "a=1", "--set", "a=2"]],
    "options": [
        ["run", "--seed", "9" * 26], ["run", "--seed", "nan"], ["run", "--until", "1e9"], ["run", "--until", "2020.5"],
        ["run", "--every", ""], ["run", "--format", "x"], ["run", "--out", "text"], ["run", "--out", "text/x"],
        ["run", "--out", LONG], ["run", "--out", "\0"], ["run", "--out", "/proc/x"], ["run", "--out", "/"],
        ["run", "--seed", "1", "--seed", "x"], ["run", "policy-grid"], ["batch", "historic"],
    ],
    "experiments": [[verb, name] for name in EXPERIMENTS for verb in ("batch", "check")],
    "batches": [
        ["batch", "policy-grid", *options]
        for options in (
            ["--workers", "-1"], ["--workers", "9" * 20], ["--workers", "nan"], ["--cluster", ""],
            ["--cluster", "local:x"], ["--out", "text"], ["--cluster", "local:2", "--workers", "2"],
        )
    ],
    "calibrations": [
        [*verb, name] for name in ("waves.toml", "waves-words.toml") for verb in (["check"], ["study", "calibrate"])
    ] + [["batch", "waves.toml"], ["study", "calibrate", "historic"], ["study", "calibrate", "policy-grid"]],
    "lists": [["list", ""], ["list", LONG]] + [["list", "parameters", "--config", name] for name in ("", "x")],
    "comparisons": [["compare", a, b] for a, b in (("", ""), (LONG, "b"), ("text", "text"), ("dir", "table.csv"))]
    + [["compare", "a"], ["compare", "empty-folder", "empty-folder"], ["compare", "table.csv", "table.csv"]]
    + [["compare", "policy-grid", "historic"]]
    + [["compare", "table.csv", "table.csv", *options] for options in COMPARED],
    "studies": [
        ["study", *study, name]
        for study in STUDIES for name in ("", "x", LONG, "empty-folder", "text", "table.csv", "historic")
    ] + [["study", "report"], ["study", "discover", "x"], ["study", "discover", "empty-folder", "--target", ""]],
    "reviews": [
        ["study", "review", *given]
        for given in ([""], ["x"], ["policy-grid"], [LONG], ["--year", "1999"], ["--year", "x"], ["--seed", "-1"])
    ],
    "validations": [
        ["study", "validate", *given]
        for given in ([""], ["x"], ["--observations", "text"], ["--observations", "none.csv"], ["--sets", "0"])
    ],
}  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with every kind of wrong file."""
    monkeypatch.chdir(tmp_path)
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "empty-folder").mkdir()
    return tmp_path


def test_there_are_hundreds():
    assert sum(map(len, CASES.values())) > 250


@pytest.mark.parametrize("kind", CASES)
def test_a_wrong_use_is_a_sentence(folder, answer, kind):
    before = {path: path.stat().st_size for path in folder.rglob("*")}
    for arguments in CASES[kind]:
        said = answer(*arguments)
        words = [word[:60] for word in arguments]
        assert said.code in (2, 3), words
        assert said.err.strip() and said.out == "" and "Traceback" not in said.err, words
        assert len(said.err) < 2500 and "\x1b" not in said.err, words
        with contextlib.suppress(OSError):
            (folder / "results").rmdir()  # which may be made on the way
        assert {path: path.stat().st_size for path in folder.rglob("*")} == before, words
