"""What an order costs."""

from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
FREE_DELIVERY_FROM = Decimal("200")
DELIVERY = Decimal("4.90")


def total(amounts: list[Decimal]) -> Decimal:
    """The sum of `amounts` with delivery, which is free for large orders."""
    if any(amount < 0 for amount in amounts):
        raise ValueError("an amount is negative")
    goods = sum(amounts, Decimal(0))
    delivery = Decimal(0) if goods >= FREE_DELIVERY_FROM or not amounts else DELIVERY
    return (goods + delivery).quantize(CENT, rounding=ROUND_HALF_UP)
