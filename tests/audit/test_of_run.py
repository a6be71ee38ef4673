"""What a run doubts becomes findings, and the rows of a list."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from convlens.audit.doubts import Doubt
from convlens.audit.fix import corrections_of
from convlens.audit.of_run import audit_of_run
from convlens.audit.out_of_fold import Judged
from convlens.audit.run_audit import RunAudit
from convlens.audit.slices import HardPair, Slice
from convlens.evaluation.metrics import wilson


def audited(digits):
    return RunAudit(
        prepared=SimpleNamespace(dataset=digits),
        judged=Judged(np.arange(3), np.eye(3, 10, dtype=np.float32)),
        doubts=(Doubt(5, 3, 8, 0.99, "wrong"), Doubt(7, 1, 7, 0.85, "look")),
        share=wilson(1, 100),
        pairs=(HardPair(4, 9, wilson(9, 40), 0.001, (11, 12)),),
        slices=(Slice("brightness", None, (0.5, 20.0), wilson(30, 40), 0.95, 0.01, (13,)),),
        features="patches",
        scored=100,
    )


def test_each_kind_of_doubt_is_a_finding_with_its_evidence(digits):
    found = audit_of_run(audited(digits))
    assert found.codes == {"wrong_label": 1, "worse_slice": 1, "doubtful_label": 1, "hard_pair": 1}
    (wrong,) = found.of("wrong_label")
    assert (wrong.indices, wrong.level) == ((5,), "warning")
    assert wrong.evidence == {"label": "3", "suggested": "8", "confidence": 0.99}
    (pair,) = found.of("hard_pair")
    assert pair.evidence["classes"] == ["4", "9"]
    assert pair.evidence["confused"]["n"] == 40
    (part,) = found.of("worse_slice")
    assert list(part.evidence["bounds"]) == [0.5, 20.0]
    assert part.evidence["expected"] == 0.95


def test_the_list_relabels_what_is_surely_wrong_and_names_the_run(digits):
    rows = corrections_of(audit_of_run(audited(digits)).findings, "mine")
    told = [(row.file, row.action, row.value, row.run) for row in rows]
    assert told == [("5", "relabel", "8", "mine"), ("7", "look", "7", "mine")]


def test_without_doubts_there_are_no_findings(digits):
    none = replace(audited(digits), doubts=(), pairs=(), slices=())
    assert audit_of_run(none).findings == ()
