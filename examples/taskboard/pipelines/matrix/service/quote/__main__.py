"""`python -m quote 17 250`: what an order of these amounts costs."""

import sys
from decimal import Decimal

from quote import total


def main(arguments: list[str]) -> str:
    """The line that is printed for `arguments`."""
    return f"total {total([Decimal(argument) for argument in arguments])}"


if __name__ == "__main__":
    print(main(sys.argv[1:]))
