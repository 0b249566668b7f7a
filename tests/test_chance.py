"""Chance: the published generator, without a bias, the same on every Python."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paxos.chance import Chance


@pytest.mark.parametrize(
    ("seed", "words"),
    [
        (
            0,
            [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F, 0xF88BB8A8724C81EC],
        ),
        (
            1234567,
            [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431],
        ),
    ],
)
def test_it_is_splitmix64(seed: int, words: list[int]) -> None:
    """The first words of the reference implementation, so that a seed means the same everywhere."""
    chance = Chance(seed)
    assert [chance.word() for _ in words] == words


def test_seeds_are_taken_modulo_two_to_the_64() -> None:
    """Any integer will do as a seed."""
    assert Chance(-1).word() == Chance(2**64 - 1).word()
    assert Chance(2**64).word() == Chance(0).word()


@given(st.integers(), st.integers(-(10**6), 10**6), st.integers(0, 10**6))
def test_between_includes_both_ends_and_nothing_else(seed: int, least: int, width: int) -> None:
    """Whatever the seed and the range."""
    chance = Chance(seed)
    assert all(least <= chance.between(least, least + width) <= least + width for _ in range(5))


def test_every_integer_is_as_likely_as_the_others() -> None:
    """With 7,000 throws of a die with seven sides, each side is within 15 % of its share."""
    chance = Chance(1)
    thrown = Counter(chance.between(1, 7) for _ in range(7_000))
    assert set(thrown) == set(range(1, 8))
    assert all(850 <= count <= 1150 for count in thrown.values())


def test_words_of_the_incomplete_stretch_are_thrown_away() -> None:
    """For a range of three quarters of all words, a quarter would favour small results."""
    count = 3 << 62
    chance, reference = Chance(3), Chance(3)
    kept = [word for word in (reference.word() for _ in range(200)) if word < count]
    assert 0 < len(kept) < 200
    assert [chance.between(0, count - 1) for _ in kept] == kept


def test_an_empty_range_is_our_bug() -> None:
    """An assertion with words ends the process."""
    with pytest.raises(AssertionError, match="no integer lies between 2 and 1"):
        Chance(1).between(2, 1)


@pytest.mark.parametrize("percent", [0, 1, 50, 99, 100])
def test_percent_is_what_it_says(percent: int) -> None:
    """0 is never and 100 always; the rest within three points in 5,000 cases."""
    chance = Chance(9)
    share = sum(chance.percent(percent) for _ in range(5_000)) / 50
    assert abs(share - percent) <= (3 if 0 < percent < 100 else 0)


@given(st.integers(0, 2**64), st.lists(st.integers(1, 10**6), min_size=1, max_size=20))
def test_between_draws_the_words_of_the_stream(seed: int, counts: list[int]) -> None:
    """Each as it comes, but for the few that would favour small results."""
    chance, words = Chance(seed), Chance(seed)
    for count in counts:
        limit = 2**64 - 2**64 % count
        word = next(word for word in iter(words.word, None) if word < limit)
        assert chance.between(0, count - 1) == word % count


def test_among_is_fair_enough() -> None:
    """Each of three in about a third of the cases."""
    chance = Chance(5)
    counts = Counter(chance.among("abc") for _ in range(3_000))
    assert set(counts) == {"a", "b", "c"}
    assert min(counts.values()) > 900
