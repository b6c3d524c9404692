import sys

import pytest

from numerals import __main__ as command
from numerals import from_roman, to_roman


@pytest.mark.parametrize(("number", "text"), [(1, "I"), (4, "IV"), (1984, "MCMLXXXIV"), (3999, "MMMCMXCIX")])
def test_both_ways(number, text):
    assert to_roman(number) == text
    assert from_roman(text.lower()) == number


def test_every_number_comes_back():
    assert all(from_roman(to_roman(number)) == number for number in range(1, 4000))


@pytest.mark.parametrize("number", [0, -1, 4000])
def test_numbers_out_of_range_are_refused(number):
    with pytest.raises(ValueError, match="from 1 to 3999"):
        to_roman(number)


@pytest.mark.parametrize("text", ["", "IIII", "IC", "ABC"])
def test_only_canonical_numerals_are_accepted(text):
    with pytest.raises(ValueError, match="not a Roman numeral"):
        from_roman(text)


def test_the_command_converts_and_complains(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["numerals", "1984", "xlii"])
    assert command.main() == 0
    assert capsys.readouterr().out == "MCMLXXXIV\n42\n"
    monkeypatch.setattr(sys, "argv", ["numerals", "IIII"])
    assert command.main() == 2
    assert "not a Roman numeral" in capsys.readouterr().err
