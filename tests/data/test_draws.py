"""Draws take whole clusters, large ones as often as small ones, and leave each class something."""

import numpy as np

from convlens.data.draws import draw, draw_limited, least_limit, ranks_of


def test_large_clusters_are_drawn_as_often_as_small_ones():
    # Clusters of 1 and of 9 images; the ranks of both are spread alike.
    clusters = np.r_[np.arange(500), np.repeat(np.arange(500, 555), 9)]
    digests = np.random.default_rng(2).integers(0, 256, (len(clusters), 16), np.uint8)
    means = []
    for salt in ("a", "b", "c"):
        ranks = ranks_of(digests, salt, clusters)
        assert all(len(set(ranks[clusters == one])) == 1 for one in (500, 530, 554))
        means.append(ranks[500:].astype(float).mean() / 2.0**64)
    assert 0.4 < np.mean(means) < 0.6


def test_the_last_cluster_of_any_class_is_not_drawn():
    rng = np.random.default_rng(0)
    for _ in range(200):
        labels = rng.integers(0, 4, 30)
        clusters = rng.integers(0, 8, 30)
        ranks = rng.permutation(30).astype(np.uint64)
        drawn = draw(np.arange(30), labels, clusters, 0.5, ranks)
        assert set(np.delete(labels, drawn)) == set(labels)
        assert not set(clusters[drawn]) & set(np.delete(clusters, drawn))


def test_no_share_draws_none():
    alone = np.arange(20)
    ranks = alone.astype(np.uint64)
    assert not len(draw(alone, np.repeat([0, 1], 10), alone, 0.0, ranks))


def test_as_many_images_are_drawn_as_the_limit_says_and_a_higher_one_only_adds_some():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 7, 1000)
    given = np.where(rng.random(1000) < 0.15, "test", "train")
    ranks = rng.permutation(1000).astype(np.uint64)
    lower: set[int] = set()
    for limit in range(7, 1000):
        drawn = set(draw_limited(labels, given, limit, ranks).tolist())
        assert len(drawn) == limit
        assert lower < drawn
        lower = drawn


def test_the_limit_draws_from_every_class_and_split():
    labels = np.repeat(np.arange(4), 50)
    given = np.array((["train"] * 40 + ["test"] * 10) * 4)
    drawn = draw_limited(labels, given, 40, np.arange(200).astype(np.uint64))
    assert np.bincount(labels[drawn]).tolist() == [10, 10, 10, 10]
    assert (given[drawn] == "test").sum() == 8
    few = draw_limited(labels, given, 6, np.arange(200).astype(np.uint64))
    assert sorted(labels[few][given[few] == "train"]) == [0, 1, 2, 3]


def test_a_rare_class_has_images_to_train_on_and_to_test_with():
    labels = np.repeat([0, 1], [9000, 100])
    ranks = np.random.default_rng(0).permutation(9100).astype(np.uint64)
    given = np.full(9100, "train")
    assert least_limit(labels, given) == 4
    for limit in (4, 30, 100):
        drawn = draw_limited(labels, given, limit, ranks)
        assert np.bincount(labels[drawn])[1] == 2
    # Where the source has a test set, one image of each class in each split is enough.
    given[::3] = "test"
    assert least_limit(labels, given) == 4
    drawn = draw_limited(labels, given, 4, ranks)
    assert sorted(zip(labels[drawn], given[drawn], strict=True)) == [
        (0, "test"), (0, "train"), (1, "test"), (1, "train")
    ]  # fmt: skip
    given[1::9] = "val"
    assert least_limit(labels, given) == 6
