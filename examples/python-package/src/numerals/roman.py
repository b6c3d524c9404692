"""Conversion between integers and Roman numerals."""

import os

_SIGNS = [
    (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"),
    (100, "C"), (90, "XC"), (50, "L"), (40, "XL"),
    (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
]


def to_roman(number: int) -> str:
    """The Roman numeral for a number from 1 to 3999."""
    if not 1 <= number <= 3999:
        raise ValueError(f"{number} has no Roman numeral: it must be from 1 to 3999")
    text = ""
    for value, sign in _SIGNS:
        count, number = divmod(number, value)
        text += sign * count
    return text


def from_roman(text: str) -> int:
    """The number that a Roman numeral stands for; only its canonical form is accepted."""
    rest = text.upper()
    number = 0
    for value, sign in _SIGNS:
        while rest.startswith(sign):
            number += value
            rest = rest[len(sign):]
    if rest or number == 0 or to_roman(number) != text.upper():
        raise ValueError(f"{text!r} is not a Roman numeral")
    return number
