from decimal import Decimal

import pytest
from quote import total
from quote.__main__ import main


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [([], "0.00"), (["10"], "14.90"), (["199.99"], "204.89"), (["200"], "200.00"), (["17", "250"], "267.00")],
)
def test_delivery_is_free_for_large_orders(amounts, expected):
    assert total([Decimal(amount) for amount in amounts]) == Decimal(expected)


def test_a_negative_amount_is_refused():
    with pytest.raises(ValueError, match="negative"):
        total([Decimal("-1")])


def test_the_program_says_the_total():
    assert main(["17", "250"]) == "total 267.00"
