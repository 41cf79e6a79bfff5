"""What compare reads: folders, bare tables, tables from elsewhere; a sentence with file and line for every fault."""

import itertools

import pytest
from support.made_results import HEAD, MARKET, SHARE, Maker, file_facts, rows, series_table, table, vouch, write

from sim.compare.question import Incomplete, Question, compare, identical
from sim.compare.results import key_roles, read_result, read_results, with_series
from sim.compare.tables import key_of
from sim.errors import BadInput
from sim.study.outcomes import read_batch

DATES = ["2020-12-31", "2021-12-31"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no runs"),
        (HEAD, "holds no runs"),
        (HEAD + "a,x,0,1,done,1.0\nb,x,0,2,do", "line 3 has 5 cells; the header has 6"),
        (HEAD + "a,x,0,1,done,1.0\nb,x,0,2,done\nc,x,0,3,done,1.0\n", "line 3 has 5 cells; the header has 6"),
        (HEAD + "a,x,0,1,done,1.0\nb,x,0,2,done\nc,x,0,3,done,1.0,2\n", "line 3 has 5 cells; the header has 6"),
        (HEAD + 'a,"x,y",0,1,done,1.0\nb,"x,y",0,2,done\n', "line 3 has 5 cells; the header has 6"),
        (HEAD + "a,x,0,1,done,1.0,7\n", "line 2 has 7 cells; the header has 6"),
        ("run_id,config,parameter_set,status\na,x,0,done\n", "column 'seed' is missing"),
        ("run_id,config,seed,seed,status\na,x,0,1,done\n", "line 1: column 'seed' appears twice; keep one"),
        (HEAD + "a,x,0,1,failed,\nb,x,0,2,failed,\n", "none of its 2 runs has status done"),
        (HEAD + "a,x,0,1,done,1.0\nb,x,0,2,running,1.0\n", "line 3: status = 'running': must be done or failed"),
        (HEAD + "a,x,0,1,done,1.0\nb,x,0,2,,1.0\n", "line 3: status = '': must be done or failed"),
        (HEAD + "a,x,0,1,done,1.0\nb,x,0,2,done,many\n", "line 3: chip_market@end = 'many': must be a number or empty"),
        (HEAD + "a,x,0,1,done,true\nb,x,0,2,done,false\n", "line 2: chip_market@end = 'true': must be a number"),
        (HEAD + "a,x,0,1,done,1.0\nb,x,0,,done,1.0\n", "line 3: seed is empty"),
        (HEAD + "a,x,0,1,done,1.0\nb,x,0,2,done,1.0\nc,x,0,01,done,2.0\n", "line 4: has the same config, .* as line 2"),
    ],
)
def test_bad_tables(tmp_path, text, words):
    path = tmp_path / "runs.csv"
    path.write_text(text)
    with pytest.raises(BadInput, match=words) as fault:
        read_result(path)
    assert fault.value.problems[0].startswith(str(path))


def test_not_text(tmp_path):
    (tmp_path / "runs.csv").write_bytes(HEAD.encode() + b"a,\xff,0,1,done,1.0\n")
    with pytest.raises(BadInput, match="runs.csv: is not in UTF-8 .byte 0xff is no character of it.; save it"):
        read_result(tmp_path / "runs.csv")
    (tmp_path / "runs.csv").write_bytes(b"\xff\x00")
    with pytest.raises(BadInput, match="runs.csv: holds zero bytes"):
        read_result(tmp_path / "runs.csv")


def test_commas_in_quotes_are_no_cells(tmp_path):
    (tmp_path / "runs.csv").write_text(HEAD + 'a,"x,y",0,1,done,1.0\nb,"x,y",0,2,done,2.0\n')
    assert read_result(tmp_path / "runs.csv").configs == ("x,y",)


def test_every_missing_column_is_named(tmp_path):
    (tmp_path / "runs.csv").write_text("config,status\nx,done\n")
    with pytest.raises(BadInput) as fault:
        read_result(tmp_path / "runs.csv")
    assert [problem.split("column ")[1].split(" ")[0] for problem in fault.value.problems] == [
        "'run_id'",
        "'parameter_set'",
        "'seed'",
    ]
    assert "name its key columns with --key" in fault.value.problems[0]


def test_bad_folders(tmp_path):
    text = HEAD + "a,x,0,1,done,1.0\n"
    empty, bare = tmp_path / "empty", tmp_path / "bare"
    for folder in (empty, bare):
        folder.mkdir(parents=True)
    (bare / "runs.csv").write_text(text)
    later = write(tmp_path / "later", text, schema_version=4)
    cut = write(tmp_path / "cut", text, files={"runs.csv": file_facts(text + text)})
    lost = write(tmp_path / "lost", text, files={"runs.csv": file_facts(text), "series.csv": file_facts(text)})
    broken = write(tmp_path / "broken", text)
    (broken / "manifest.json").write_text('{"schema_version": 1, "exp')
    whole = write(tmp_path / "whole", text, files={"runs.csv": file_facts(text)})
    assert read_result(whole).outcomes["chip_market@end"].tolist() == [1.0]
    for path, words in (
        (tmp_path / "nowhere", "does not exist"),
        (empty, "holds no runs.csv; give a result folder"),
        (
            bare,
            r"bare/manifest\.json: there is no such file.*to compare without units and directions give .*/runs\.csv",
        ),
        (
            later,
            r"later/manifest\.json: schema_version = 4: a newer version of the program wrote it",
        ),
        (broken, r"broken/manifest\.json: .*: it is damaged, or no manifest"),
        (cut, r"cut/runs\.csv: has \d+ bytes, and \d+ were written"),
        (lost, r"lost/series\.csv: is missing"),
    ):
        with pytest.raises(BadInput, match=words):
            read_result(path)
    with pytest.raises(BadInput) as fault:
        read_results([empty, whole, later])
    assert len(fault.value.problems) == 2


def test_unfinished_batches_are_incomplete(tmp_path):
    (tmp_path / "begun" / ".blocks-0").mkdir(parents=True)
    with pytest.raises(Incomplete, match="begun: is not finished; the same batch command goes on with it"):
        read_result(tmp_path / "begun")
    longer = write(tmp_path / "longer", HEAD + "a,x,0,1,done,1.0\n")
    (longer / ".blocks-0").mkdir()
    with pytest.raises(Incomplete, match="longer.*: a batch is unfinished"):
        compare([longer, longer], Question())
    assert len(rows(longer, longer, partial=True)) == 1


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ("run0,x,0,1,2020-12-31,1\nrun0,x,0,1,2020-12-31,2\n", "line 3: has the same run and date as a line before"),
        ("run0,x,0,1,2020-12-31,1\nrun7,x,0,1,2020-12-31,2\n", "line 3: run 'run7' is not in runs.csv"),
        ("run0,x,0,1,2020-12-31,1\nrun0,x,0,1,soon,2\n", "line 3: date = 'soon': must be a year or YYYY-MM-DD"),
        ("run0,x,0,1,2020-12-31,1\n,x,0,1,2021-12-31,2\n", "line 3: run_id is empty"),
        ("run0,x,0,1,2020-12-31,1\nrun0,x,0,1,2021-12-31,x\n", "line 3: chip_market = 'x': must be a number or empty"),
    ],
)
def test_bad_series(tmp_path, cells, words):
    text = table([(1, (), {"chip_market@end": 1.0})])
    series = "run_id,config,parameter_set,seed,date,chip_market\n" + cells
    folder = write(tmp_path / "r", text, series=series)
    with pytest.raises(BadInput, match=words) as fault:
        with_series(read_result(folder), ["chip_market"])
    assert fault.value.problems[0].startswith(str(folder / "series.csv"))


def test_a_short_line_of_a_bare_series(tmp_path):
    head = "run_id,config,parameter_set,seed,date,chip_market\n"
    (tmp_path / "series.csv").write_text(head + "run0,x,0,1,2020-12-31,1\nrun0,x,0,1,2021-1")
    with pytest.raises(BadInput, match="line 3 has 5 cells; the header has 6"):
        with_series(read_result(tmp_path / "series.csv"), ["chip_market"])


def test_a_series_without_its_keys(tmp_path):
    text = table([(1, (), {"chip_market@end": 1.0})])
    folder = write(tmp_path / "r", text, series="run_id,date,chip_market\nrun0,2020-12-31,1\n")
    with pytest.raises(BadInput, match=r"series\.csv: column 'config' is missing"):
        read_result(folder)


def test_a_bare_series_is_a_result(tmp_path):
    for name, step in (("a", 1.0), ("b", 2.0)):
        runs = [(seed, {"chip_market": [seed, seed + step]}) for seed in (1, 2, 3)]
        (tmp_path / f"{name}.csv").write_text(series_table(runs, DATES))
    found = compare([tmp_path / "a.csv", tmp_path / "b.csv"], Question(at=["final", "2020", "sum"]))
    assert [(row.at, row.base_mean, row.diff) for row in found.rows] == [("final", 3, 1), ("2020", 2, 0), ("sum", 5, 1)]


# Tables from elsewhere.


def foreign(tmp_path, header, **files):
    for name, lines in files.items():
        (tmp_path / f"{name}.csv").write_text("\n".join([header, *lines]) + "\n")
    return [tmp_path / f"{name}.csv" for name in files]


def test_a_table_from_elsewhere(tmp_path):
    paths = foreign(
        tmp_path,
        "replicate,region,gdp,note",
        one=["1,n,10,x", "2,n,12,y", "3,n,14,z"],
        two=["3,n,17,x", "1,n,11,y", "2,n,14,z"],
    )
    [row] = rows(*paths, keys=["replicate"])
    assert (row.measure, row.n_pairs, row.diff) == ("gdp", 3, 2.0)
    assert (row.baseline, row.candidate, row.unit, row.verdict) == ("one", "two", "", "inconclusive")


def test_every_kind_of_key(tmp_path):
    lines = [f"{draw},{rep},{level},{draw + rep + level}" for draw in (1, 2) for rep in (1, 2) for level in (0, 5)]
    more = [
        f"{draw},{rep},{level},{draw + rep + level + draw}" for draw in (1, 2) for rep in (1, 2) for level in (0, 5)
    ]
    paths = foreign(tmp_path, "draw,rep,level,x", one=lines, two=more)
    found = compare(paths, Question(keys=["rep", "parameter_set=draw", "point=level"], points=True))
    [row] = found.rows
    assert (row.n_sets, row.n_pairs, row.diff, row.diff_q50) == (2, 4, 1.5, 1.5)
    assert [point.point for point in found.points] == ["level=0", "level=5"]
    [row] = rows(*paths, keys=["rep", "draw", "level"])
    assert (row.n_sets, row.n_pairs) == (1, 8)


def test_a_table_from_elsewhere_over_time(tmp_path):
    lines = [f"{rep},{year},{rep * 10 + year - 2000}" for rep in (1, 2) for year in (2001, 2002)]
    more = [f"{rep},{year},{rep * 10 + 2 * (year - 2000)}" for rep in (1, 2) for year in (2001, 2002)]
    paths = foreign(tmp_path, "rep,year,x", one=lines, two=more)
    found = compare(paths, Question(keys=["rep", "date=year"], at=["2001", "final"], reach=["x>=13"]))
    assert [row.diff for row in found.rows] == [1.0, 2.0]
    assert (found.reach[0].base_share, found.reach[0].cand_share) == (0.5, 1.0)


def test_ours_against_theirs(tmp_path):
    ours = Maker(tmp_path).one("ours", [0.1, 0.2], SHARE)
    [theirs] = foreign(tmp_path, "replicate,domestic_supply_share", them=["1,0.3", "2,0.6"])
    [row] = rows(ours, theirs, keys=["replicate"])
    assert (row.diff, row.unit, row.direction) == (pytest.approx(0.3), "0 to 1", "higher")


@pytest.mark.parametrize(
    ("lines", "keys", "words"),
    [
        (["1,10", "2,"], ["rep"], "line 1: there is no column 'rep' as --key says; it has replicate, x"),
        (["1,10", "1,11"], ["replicate"], "line 3: has the same replicate as line 2"),
        (["1,10", ",11"], ["replicate"], "line 3: replicate is empty"),
        (["1,10", "2,lots"], ["replicate"], "line 3: x = 'lots': must be a number or empty"),
        (["1,10", "2"], ["replicate"], "line 3 has 1 cells; the header has 2"),
        (["1,a", "2,b"], ["replicate"], "line 2: no column but the keys holds a number"),
        ([], ["replicate"], "holds no runs"),
        (["1,10"], [], "column 'run_id' is missing; .* name its key columns with --key"),
    ],
)
def test_bad_tables_from_elsewhere(tmp_path, lines, keys, words):
    [path] = foreign(tmp_path, "replicate,x", them=lines)
    with pytest.raises(BadInput, match=words) as fault:
        read_results([path], keys)
    assert str(path) in fault.value.problems[0]


def test_bad_keys():
    for named, words in (
        (["when=x"], "--key = 'when=x': must be COLUMN or ROLE=COLUMN, ROLE one of seed, parameter_set, "),
        (["date=x", "date=y", "s"], "--key: date is given twice"),
        (["date=x"], "--key: names no column for the seed"),
        (["seed="], "must be COLUMN or ROLE=COLUMN"),
    ):
        with pytest.raises(BadInput, match=words):
            key_roles(named)


@pytest.mark.parametrize(
    "content",
    [
        ",seed,x\n0,1,1.5\n1,2,2.5\n",  # pandas' and R's row names
        "seed,,x,\n1,a,1.5,\n2,b,2.5,\n",
        "\ufeffseed,x\n1,1.5\n2,2.5\n",
        "seed,x\r\n1,1.5\r\n2,2.5\r\n",
        "seed,x\r1,1.5\r2,2.5\r",
        '"seed", "x"\n1,1.5\n2,2.5\n'.replace(", ", ","),
        'seed,note,x\n1,"two\nlines, and a comma",1.5\n2,,2.5\n',
        "seed,x\n1,1.5\n\n2,2.5\n\n",
        "seed , x\n 1 , 1.5\n 2 , 2.5\n",
        "seed,x\n1,1.5e0\n2,+25e-1\n",
    ],
)
def test_tables_of_others_are_read_right(tmp_path, content):
    (tmp_path / "t.csv").write_text(content, newline="")
    [result] = read_results([tmp_path / "t.csv"], ["seed"])
    assert result.keys["seed"] == [1, 2]
    assert result.outcomes == {"x@end": pytest.approx([1.5, 2.5])}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("seed;x\n1;1,5\n", "line 1: the cells are parted by semicolons; save it with commas, and decimal points"),
        ("seed\tx\n1\t1.5\n", "line 1: the cells are parted by tabs"),
        ("seed|x|y\n1|1.5|2\n", "line 1: the cells are parted by bars"),
        ("sep=,\nseed,x\n1,1.5\n", "line 1: 'sep=,' is a spreadsheet's own line; remove it"),
        ("sep=;\nseed;x\n1;1.5\n", "line 1: .*semicolons"),
        ("seed,x\n1,1.5\n".encode("utf-16"), "is in UTF-16; save it as CSV in UTF-8"),
        ("seed,x\n1,1.5\n".encode("utf-16-le"), "holds zero bytes, as UTF-16 or a binary file does"),
        ("seed,größe\n1,1.5\n".encode("latin-1"), "is not in UTF-8 .byte 0xf6"),
        ("seed,x\n1,1.5\n2,é\n".encode("latin-1"), "is not in UTF-8 .byte 0xe9"),
        (b"PK\x03\x04workbook", "is a workbook or an archive"),
        (b"\x1f\x8b\x08zipped", "is compressed; unpack it first"),
        ('seed,x\n1,"1,234.5"\n', "line 2: x = '1,234.5': must be a number without signs between thousands"),
        ("seed,x\n1,1.5\n2,1 234.5\n", "line 3: x = '1 234.5': must be a number without signs between thousands"),
        ("seed,x\n1,1.5\n2,1.234.567\n", "line 3: x = '1.234.567': must be a number without signs between thousands"),
        ('seed,x\n1,1.5\n2,"0,5"\n', "line 3: x = '0,5': must be a number with a decimal point, or empty; it has a de"),
        ("seed,x\n1,1\n2," + "9" * 400 + "\n", "line 3: x = '9+ … is too large for a number|line 3: x = .*too large"),
        ("seed,x\n1,1\n2," + "9" * 5000 + "\n", "line 3: x = .*too large for a number"),
        ("seed,x,x\n1,1,2\n", "line 1: column 'x' appears twice; keep one"),
        ("seed,x\n1,1.5\n2,2,5\n", "line 3 has 3 cells; the header has 2"),
        ('seed,note,x\n1,"a,b",1.5\n2,"c,d"\n', "line 3 has 2 cells; the header has 3"),
        ("seed,x\n1,1.5\n2,50 %\n", "line 3: x = '50 %': must be a number or empty"),
        ("seed,x\r1,1.5\r2\r", "line 3 has 1 cells; the header has 2"),
        ("", "holds no runs"),
        ("seed,x\n", "holds no runs"),
        ("\n\n", "holds no runs|there is no column 'seed'"),
    ],
)
def test_tables_of_others_are_refused_with_the_cause(tmp_path, content, words):
    (tmp_path / "t.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BadInput, match=words) as fault:
        compare([tmp_path / "t.csv"] * 2, Question(keys=["seed"]))
    [problem] = fault.value.problems
    assert problem.startswith(f"{tmp_path / 't.csv'}: ") and len(problem) < 300 + len(str(tmp_path))


def test_a_design_that_comes_to_a_point_twice(tmp_path):
    """As Morris trajectories do: run ids tell the points apart. Without them, or with one id twice, it is a fault."""
    head = "run_id,config,parameter_set,seed,subsidy.annual,status,chip_market@end\n"
    lines = [f"x-{point}-0-{seed},x,0,{seed},7,done,{seed}.0\n" for point in (1, 2) for seed in (1, 2)]
    same = write(tmp_path / "same", head + "".join(lines))
    [row] = rows(same, same)
    assert (row.n_pairs, row.base_mean, row.diff) == (2, 1.5, 0)
    for place, wrong in enumerate((lines[0], "run7,x,0,1,7,done,1.0\n")):
        bad = write(tmp_path / f"bad{place}", head + "".join([*lines, wrong]))
        with pytest.raises(BadInput, match="has the same config, parameter_set, seed, subsidy.annual as line 2"):
            read_result(bad)


@pytest.mark.parametrize("name", ["runs.csv", "series.csv", "manifest.json"])
@pytest.mark.parametrize("damage", ["altered", "link", "gone"])
def test_what_is_not_as_it_was_written_is_refused(tmp_path, name, damage):
    """Altered at equal length, or a link to the very same bytes."""
    folder = Maker(tmp_path).over_time("r", {1: [1.0, 2.0], 2: [3.0, 4.0]}, DATES)
    assert read_result(folder).done.tolist() == [True, True]
    path = folder / name
    content = path.read_bytes()
    if damage == "altered":
        path.write_bytes(content.replace(b"4.0", b"9.0").replace(b"schema_version", b"schema_versiom"))
    elif damage == "link":
        path.rename(tmp_path / "mine")
        path.symlink_to(tmp_path / "mine")
    else:
        path.unlink()
    said = {
        "altered": "was altered|is missing",
        "link": "is a symbolic link",
        "gone": "is missing|there is no such file",
    }
    for read in (read_result, read_batch):
        with pytest.raises(BadInput, match=rf"{name}: .*({said[damage]})"):
            read(folder)


# Identity.


def two(tmp_path, change=lambda text: text, **changes):
    paths = {1: [1.0, 2.0], 2: [3.0, 4.0]}
    made = Maker(tmp_path)
    base = made.over_time("base", paths, DATES)
    candidate = made.over_time("candidate", paths, DATES, **changes)
    for name in ("runs.csv", "series.csv"):
        file = candidate / name
        file.write_text(change(file.read_text()))
    return base, vouch(candidate)


def test_identical_results(tmp_path):
    assert identical(two(tmp_path)) == []


def test_names_and_order_are_no_difference(tmp_path):
    def turned(text):
        header, *lines = text.replace("historic", "renamed").splitlines()
        return "\n".join([header, *reversed(lines)]) + "\n"

    assert identical(two(tmp_path, turned)) == []


def test_the_last_bit_is_a_difference_unless_tolerated(tmp_path):
    paths = two(tmp_path, lambda text: text.replace("4.0", "4.000000000000001"))
    found = identical(paths)
    assert [(u.file, u.column, u.cells) for u in found] == [
        ("runs.csv", "domestic_supply_share@end", 1),
        ("series.csv", "domestic_supply_share", 1),
    ]
    assert found[0].largest_difference == 4.000000000000001 - 4
    assert found[1].first == "parameter_set 0, seed 2, date 2021-12-31: 4.0 and 4.000000000000001"
    assert identical(paths, rtol=1e-15) == [] and identical(paths, atol=1e-14) == []
    assert len(identical(paths, rtol=1e-17)) == 2


def test_a_missing_value_is_a_difference(tmp_path):
    found = identical(two(tmp_path, lambda text: text.replace(",4.0", ",")), rtol=9, atol=9)
    assert [(u.cells, u.largest_difference) for u in found] == [(1, None), (1, None)]
    assert found[0].first.endswith("4.0 and nothing")


def test_what_both_lack_is_no_difference(tmp_path):
    base, candidate = two(tmp_path)
    for folder, config in ((base, "historic"), (candidate, "renamed")):
        for name in ("runs.csv", "series.csv"):
            text = (folder / name).read_text().replace(",4.0", ",").replace("historic", config)
            (folder / name).write_text(text)
    assert identical([vouch(base), vouch(candidate)]) == []


def test_rows_columns_and_files_of_one_side_are_differences(tmp_path):
    base, candidate = two(tmp_path)
    text = (candidate / "runs.csv").read_text()
    (candidate / "runs.csv").write_text(text.replace("status,", "status,extra@end,").replace("done,", "done,1,"))
    [column] = identical([base, vouch(candidate)])
    assert (column.column, column.first) == ("extra@end", "only candidate has this column")
    (candidate / "runs.csv").write_text("\n".join(text.splitlines()[:-1]) + "\n")
    found = identical([base, vouch(candidate)])
    assert (found[0].cells, found[0].first) == (1, "only base has parameter_set 0, seed 2")
    (candidate / "series.csv").unlink()
    assert "only base has this file" in [u.first for u in identical([base, vouch(candidate)])]


def test_infinities_and_nothing_are_three_different_cells(tmp_path):
    """Each is a difference to the others and none to itself."""
    cells = {"inf": "inf", "less": "-inf", "empty": ""}
    head = "seed,x\n1,1.5\n"
    for name, cell in cells.items():
        (tmp_path / f"{name}.csv").write_text(f"{head}2,{cell}\n")
    for ours, theirs in itertools.product(cells, repeat=2):
        paths = [tmp_path / f"{name}.csv" for name in (ours, theirs)]
        assert [u.cells for u in identical(paths, keys=["seed"])] == ([] if ours == theirs else [1])
        assert [u.cells for u in identical(paths, rtol=1, keys=["seed"])] == ([] if ours == theirs else [1])


def test_labels_are_read_as_text(tmp_path):
    """What only looks like a number is a label: inf, nan, 1_0. Equal numbers are equal however they are written."""
    assert [key_of(text) for text in ("inf", "nan", "1_0", "١", "1e999")] == ["inf", "nan", "1_0", "١", "1e999"]
    assert [key_of(text) for text in ("7", "7.0", "0.5", "1e3", "-2", "9" * 30)] == [7, 7, 0.5, 1000, -2, int("9" * 30)]


def test_a_failed_run_is_no_done_one(tmp_path):
    found = identical(two(tmp_path, lambda text: text.replace("done,4.0", "failed,")))
    assert [u.column for u in found] == ["status", "domestic_supply_share@end"]


def test_bad_tolerances(tmp_path):
    paths = two(tmp_path)
    with pytest.raises(BadInput, match=r"--rtol = -1: must be a number from 0"):
        identical(paths, rtol=-1)
    with pytest.raises(BadInput, match=r"--atol = nan: must be a number from 0"):
        identical(paths, atol=float("nan"))


def test_a_result_tells_its_own_world(tmp_path):
    """Its segments, inputs and controllers are in the manifest: the world of made-up results is in no folder."""
    sold = {"sales_to_target.USA@sum": 10.0, "sales_to_target.ROW@sum": 3.0, "chip_market.memory@end": 4.0}
    text = table([(1, (), {**sold, MARKET: 9.0})])
    less = table([(1, (), {**sold, "sales_to_target.USA@sum": 6.0, MARKET: 9.0})])
    paths = [write(tmp_path / "base", text), write(tmp_path / "candidate", less)]
    lost = {row.slice: row.value for row in compare(paths, Question()).effects}
    assert lost == {"all": 4.0, "USA": 4.0}  # ROW controls nothing
    assert [row.column for row in compare(paths, Question(by="segment")).rows] == MARKET_AND_PART


MARKET_AND_PART = ["chip_market", "chip_market.memory"]


def test_a_measure_without_slices_is_told_as_a_whole_beside_those_that_have_them(tmp_path):
    row = {SHARE: 0.25, "chip_market.memory@end": 4.0, MARKET: 9.0}
    paths = [write(tmp_path / name, table([(1, (), row)])) for name in ("base", "candidate")]
    both = compare(paths, Question(by="segment", measures=["domestic_supply_share", "chip_market"]))
    assert [row.column for row in both.rows] == ["domestic_supply_share", *MARKET_AND_PART]
    assert "domestic_supply_share is not recorded by segment: told as a whole" in both.notes
    assert "; the domestic supply share at the end is the same in the one pair" in both.sentences[0]
    with pytest.raises(BadInput, match="do not have domestic_supply_share by segment"):
        compare(paths, Question(by="segment", measures=["domestic_supply_share"]))
    with pytest.raises(BadInput, match="do not have chip_markt by segment"):
        compare(paths, Question(by="segment", measures=["chip_market", "chip_markt"]))
