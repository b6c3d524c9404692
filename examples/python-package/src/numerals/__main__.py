"""`numerals 1984` prints MCMLXXXIV, `numerals MCMLXXXIV` prints 1984."""

import sys

from numerals import from_roman, to_roman


def convert(text: str) -> str:
    """The other form of a number given in either."""
    return to_roman(int(text)) if text.isdigit() else str(from_roman(text))


def main() -> int:
    """Converts each argument."""
    try:
        for argument in sys.argv[1:]:
            print(convert(argument))
    except ValueError as error:
        print(f"numerals: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
