import numpy as np
import pytest

from convlens.data import neighbours as module
from convlens.data.neighbours import COMPLETE, neighbours


@pytest.fixture(params=["all with all", "by chunks"])
def ways(request, monkeypatch):
    """Search in both ways, of which the number of hashes chooses one."""
    if request.param == "by chunks":
        monkeypatch.setattr(module, "ALL_COMPARED", -1)


@pytest.fixture
def by_chunks(monkeypatch):
    monkeypatch.setattr(module, "ALL_COMPARED", -1)


def hashes(number, seed=0):
    return np.random.default_rng(seed).integers(0, 2**64, (number, 4), np.uint64)


def changed(some, bits, seed=1):
    """Return hashes that differ from others in so many bits each."""
    rng = np.random.default_rng(seed)
    found = some.copy()
    for row, number in zip(found, bits, strict=True):
        for bit in rng.choice(256, number, replace=False):
            row[bit // 64] ^= np.uint64(1) << np.uint64(bit % 64)
    return found


def by_hand(one, other, most):
    distance = np.bitwise_count(one[:, None] ^ other[None]).sum(axis=2)
    return {
        (first, second): int(distance[first, second])
        for first, second in np.argwhere(distance <= most).tolist()
    }


def as_dict(found):
    columns = (found.first.tolist(), found.second.tolist(), found.distance.tolist())
    return {(first, second): bits for first, second, bits in zip(*columns, strict=True)}


@pytest.mark.usefixtures("ways")
def test_all_hashes_that_differ_in_31_bits_or_fewer_are_found():
    database = hashes(2000)
    queries = changed(database[:200], np.arange(200) % 40)
    found = neighbours(queries, database)
    assert as_dict(found) == by_hand(queries, database, COMPLETE)
    assert len(found.first) == 160
    assert found.distance.tolist() == sorted(found.distance.tolist())
    assert found.complete


@pytest.mark.usefixtures("ways")
def test_among_themselves_each_pair_is_found_once():
    some = hashes(300)
    both = np.concatenate([some, changed(some, np.arange(300) % 32)])
    expected = {pair: bits for pair, bits in by_hand(both, both, 31).items() if pair[0] < pair[1]}
    assert as_dict(neighbours(both, None)) == expected


@pytest.mark.usefixtures("ways")
def test_the_nearest_pairs_are_kept_where_there_are_too_many():
    some = hashes(50)
    found = neighbours(changed(some, np.arange(50) % 25), some, limit=20)
    assert len(found.first) == 20
    assert found.distance.max() <= 10
    assert not found.complete


@pytest.mark.usefixtures("by_chunks")
def test_hashes_of_crowds_are_left_out_and_counted():
    crowd = np.repeat(hashes(1), 4000, axis=0)
    others = hashes(10, seed=5)
    found = neighbours(np.concatenate([crowd, others, others]), None)
    assert as_dict(found) == {(4000 + row, 4010 + row): 0 for row in range(10)}
    assert found.crowded.tolist() == list(range(4000))


def test_of_a_crowd_in_a_small_set_the_nearest_pairs_are_kept(monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 100)  # so that the pairs are thinned out meanwhile
    crowd = changed(np.repeat(hashes(1), 200, axis=0), np.full(200, 20))
    near = hashes(5, seed=5)
    found = neighbours(np.concatenate([crowd, near, near]), None, most=90, limit=5)
    assert as_dict(found) == {(200 + row, 205 + row): 0 for row in range(5)}
    assert not found.complete


@pytest.mark.usefixtures("ways")
@pytest.mark.parametrize("number", [0, 1])
def test_none_or_one_has_no_neighbours(number):
    assert not len(neighbours(hashes(number), None).first)


@pytest.mark.usefixtures("ways")
def test_hashes_of_which_each_bit_differs_are_not_alike():
    some = hashes(20)
    assert not len(neighbours(some, ~some, most=90).first)
    assert as_dict(neighbours(some[:2], some[:2], most=0)) == {(0, 0): 0, (1, 1): 0}


@pytest.mark.usefixtures("ways")
def test_each_chunk_is_counted():
    done = []
    neighbours(hashes(20), None, step=lambda: done.append(1))
    assert len(done) == 16


def test_hashes_that_differ_in_many_bits_are_found_if_all_are_compared():
    database = hashes(500)
    queries = changed(database[:60], np.arange(60) + 40)
    found = neighbours(queries, database, 90)
    assert as_dict(found) == by_hand(queries, database, 90)
    assert len(found.first) >= 51
    nearest = neighbours(queries, database, 90, 7)
    assert nearest.distance.tolist() == list(range(40, 47))
    assert not nearest.complete


@pytest.mark.parametrize("tile", [1, 700, 1 << 16])
def test_the_size_of_a_tile_changes_nothing(monkeypatch, tile):
    some = hashes(60)
    some[40:50] = changed(some[:10], np.full(10, 3))
    asked = changed(some[::2], np.arange(30) % 9)
    monkeypatch.setattr(module, "TILE", tile)
    among = neighbours(some, None)
    between = neighbours(asked, some)
    everything = by_hand(some, some, COMPLETE)
    assert as_dict(among) == {pair: bits for pair, bits in everything.items() if pair[0] < pair[1]}
    assert len(among.first) == 10
    assert as_dict(between) == by_hand(asked, some, COMPLETE)
