"""Sentences that say what the scores of an evaluation mean."""

from convlens.evaluation.evaluate import Evaluation

ACCURACY = "The classifier is correct for {correct:,} of {n:,} images ({images_seen})."
EXPECTED = (
    "For new images of the same kind, expect an accuracy between {low:.1f} % and {high:.1f} %; "
    "{n:,} images do not allow a more precise statement."
)
CAVEATS = {  # what the reader must know instead, by the images that were scored
    "train": "The network learned from these images. "
    "It will classify new images correctly less often.",
    "validation": "The best epoch was chosen on these images, so the score is slightly too high.",
}
BASELINE = (
    "Always predicting the most frequent class would be correct for {share:.1f} % of the images."
)
REACHED = "The threshold is reached by {accepted:,} of these {n:,} images: {share} {interval}."
CORRECT = "Of them, {share} {interval} are classified correctly."
CHOSEN = "The threshold was chosen on these images."


def accuracy_sentences(evaluation: Evaluation) -> str:
    """Return what the accuracy means and for which images it holds."""
    score = evaluation.scores["accuracy"]
    seen = evaluation.images_seen
    correct = int(evaluation.confusion.trace())
    expected = EXPECTED.format(low=100 * score.low, high=100 * score.high, n=score.n)
    sentences = [
        ACCURACY.format(correct=correct, n=score.n, images_seen=seen),
        CAVEATS.get(seen, expected),
        baseline_sentence(evaluation),
    ]
    return " ".join(sentences)


def baseline_sentence(evaluation: Evaluation) -> str:
    """Return how accurate it would be to predict the most frequent class for every image."""
    return BASELINE.format(share=100 * evaluation.baseline)


def none_of_these_sentences(evaluation: Evaluation) -> str:
    """Return what the threshold does to these images; empty if there is no threshold."""
    if evaluation.threshold is None:
        return ""
    accepted = evaluation.accepted
    accuracy = evaluation.accepted_accuracy
    share = {"share": accepted.value_text, "interval": accepted.interval_text}
    sentences = [REACHED.format(accepted=accuracy.n, n=accepted.n, **share)]
    if accuracy.defined:
        correct = {"share": accuracy.value_text, "interval": accuracy.interval_text}
        sentences.append(CORRECT.format(**correct))
    if evaluation.images_seen == "validation":
        sentences.append(CHOSEN)
    return " ".join(sentences)
