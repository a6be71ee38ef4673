"""Effect words: what the page says of the effect of leaked images or wrong labels on the score."""

from convlens.audit.effect import Effect
from convlens.language import N_, _, ngettext, sentences

MEANINGS = {
    "leak": N_(
        "The difference comes from test images that were learned, which no new image will be, and "
        "to a smaller part from the images that the second head did not get to learn from."
    ),
    "random": N_(
        "The source does not split its images. A split at random would put copies on both sides, "
        "and the difference is what they would add to the score; convlens keeps copies on one side."
    ),
    "labels": N_(
        "The difference is what labels that are almost surely wrong cost when they are learned. "
        "Test images with such a label are left out of both scores. This favours the second head, "
        "since the models that doubt these labels are like it, so the cost may be less."
    ),
}


def headline(effect: Effect) -> str:
    """Return both scores in one sentence."""
    templates = {
        "labels": N_(
            "{learned.value_text} {learned.interval_text} with the wrong labels, "
            "{without.value_text} {without.interval_text} without, both on the same {n:,} test "
            "images."
        ),
    }
    other = N_(
        "{learned.value_text} {learned.interval_text} with the leak, {without.value_text} "
        "{without.interval_text} without, both on the same {n:,} test images."
    )
    return _(templates.get(effect.kind, other)).format(
        learned=effect.learned, without=effect.without, n=effect.pair.n
    )


def explanation(effect: Effect) -> str:
    """Return what was removed, how sure the difference is, and what it means."""
    removed = ngettext(
        "The first head learned from {train:,} images, and the second one from the same images "
        "without {removed:,} in question.",
        "The first head learned from {train:,} images, and the second one from the same images "
        "without the {removed:,} in question.",
        effect.removed,
    ).format(train=effect.train, removed=effect.removed)
    difference = effect.difference
    found = _(
        "The difference is {points:+.1f} percentage points, with a 95 % interval from {low:+.1f} "
        "to {high:+.1f}: only the first head classifies {first:,} images correctly, and only the "
        "second one {second:,} (McNemar's exact test, p = {p:.2g})."
    ).format(
        points=100 * difference.value,
        low=100 * difference.low,
        high=100 * difference.high,
        first=effect.pair.first_only,
        second=effect.pair.second_only,
        p=effect.pair.p,
    )
    doubt = "" if effect.pair.significant else _("So small a difference may be chance.")
    return sentences(removed, found, doubt, _copies(effect), _(MEANINGS[effect.kind]))


def _copies(effect: Effect) -> str:
    """Return the score on the test images with and without a copy; nothing for labels."""
    if effect.copied is None or effect.others is None:
        return ""
    if not effect.others.n:
        return _(
            "All {n:,} test images have a copy, or an image of the same capture or group, among "
            "the training images."
        ).format(n=effect.pair.n)
    said = ngettext(
        "{copied:,} of the {n:,} test images has a copy, or an image of the same capture or group, "
        "among the training images; the first head classifies {score.value_text} "
        "{score.interval_text} of these correctly, and {others.value_text} "
        "{others.interval_text} of the other {rest:,}.",
        "{copied:,} of the {n:,} test images have a copy, or an image of the same capture or "
        "group, among the training images; the first head classifies {score.value_text} "
        "{score.interval_text} of these correctly, and {others.value_text} "
        "{others.interval_text} of the other {rest:,}.",
        effect.copied.n,
    )
    return said.format(
        copied=effect.copied.n,
        n=effect.pair.n,
        score=effect.copied,
        others=effect.others,
        rest=effect.others.n,
    )
