"""How values are told apart: by a letter, and by a colour that is the same in every run."""

from typing import Any, Final

import pytest

from tests.web_drawing import SCRIPT
from tests.web_node import ask_node

OKABE_ITO: Final = {
    "#000000", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7",
}  # fmt: skip


def luminance(colour: str) -> float:
    """How light a colour is, from 0 to 1, as WCAG 2 reckons."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """From 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


class TestValues:
    @staticmethod
    def told(*runs: list[Any]) -> Any:
        """How the values of each run are told apart."""
        return ask_node(SCRIPT, {"ask": "values", "runs": list(runs)})

    def test_colours_are_okabe_and_itos_and_carry_black_letters(self) -> None:
        """4.5:1 at least for the letter, and three to one between black and the darkest as an edge."""
        assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
        colours = self.told()["all"]
        assert set(colours) <= OKABE_ITO
        assert len(set(colours)) == len(colours) == 6
        assert min(contrast("#000000", one) for one in colours) >= 4.5

    def test_values_of_a_run_differ_in_letter_and_in_colour_while_there_are_any(self) -> None:
        """Also where they begin alike, or where there is no letter to take."""
        names = ["apple", "apricot", "avocado", "a", "aa", "ap", "...", "\N{SNOWMAN}", "apple pie"]
        (styles,) = self.told(names)["runs"]
        letters = [one["letter"] for one in styles]
        assert len(set(letters)) == len(names)
        assert len({one["colour"] for one in styles[:6]}) == 6
        assert [one["text"] for one in styles] == names

    def test_a_value_looks_the_same_in_every_run(self) -> None:
        """Whatever came before it, unless that has taken its colour."""
        fruit = ["apple", "pear", "cherry", "lemon", "plum", "kiwi"]
        alone = {
            one: style[0]["colour"]
            for one, style in zip(fruit, self.told(*[[one] for one in fruit])["runs"], strict=True)
        }
        assert len(set(alone.values())) == len(fruit)
        for order in (fruit, fruit[::-1], fruit[3:]):
            (styles,) = self.told(order)["runs"]
            assert {one["text"]: one["colour"] for one in styles} == {
                one: alone[one] for one in order
            }
        long = {"bytes": 300, "sha256": "ab" * 32}
        one, other = self.told([long], ["pear", long])["runs"]
        assert one[0]["text"] == other[1]["text"]
