"""Tables that verbs print."""

from sim.terminal import Format, emit


def test_csv_is_that_of_results_but_for_truth_values(capsys):
    """By hand: what Python's csv module writes."""
    emit(["key", "value"], [["a,b", 0.1], ['say "no"', None], ["two\nlines", float("nan")], ["on", True]], Format.csv)
    assert capsys.readouterr().out == 'key,value\n"a,b",0.1\n"say ""no""",\n"two\nlines",\non,True\n'
