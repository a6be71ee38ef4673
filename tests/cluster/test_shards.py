"""Files of answers: what is whole is read, and what is not is said in one line."""

import numpy as np
import pytest

from convlens.cluster.folder import folder_at
from convlens.cluster.question import QUESTION, claim
from convlens.cluster.shards import (
    INDEX,
    find_known,
    read_answers,
    shard_file,
    shard_name,
    write_index,
    write_shard,
)
from convlens.data.digests import DIGEST_BYTES
from convlens.errors import ClusterError, StorageError


def keys(number: int, count: int = 3) -> list[bytes]:
    return [bytes([number, image]) * (DIGEST_BYTES // 2) for image in range(count)]


@pytest.fixture
def answers(tmp_path):
    """A folder of two shards of three answers each, and the files of the shards."""
    folder = folder_at(tmp_path)
    names = [shard_name(keys(number)) for number in (1, 2)]
    for number, name in enumerate(names, start=1):
        rows = [{"image": f"{number}-{key.hex()[:4]}", "key": key} for key in keys(number)]
        write_shard(folder, name, rows)
    write_index(folder, "", names)
    return folder, [tmp_path / shard_file(name) for name in names]


def test_answers_are_read_in_their_order_and_found_by_their_keys(answers):
    folder, _files = answers
    assert [row["key"] for row in read_answers(folder)] == keys(1) + keys(2)
    known = find_known(folder)
    assert set(known.rows(folder, keys(2)[:2])) == set(keys(2)[:2])


@pytest.mark.parametrize("whole", [0.0, 0.5, 0.99])
def test_a_damaged_file_is_named_and_can_be_removed(answers, whole):
    folder, files = answers
    content = files[1].read_bytes()
    files[1].write_bytes(content[: int(whole * len(content))])
    with pytest.raises(
        StorageError, match=r"are damaged; .*Remove the file: what is missing"
    ) as caught:
        find_known(folder)
    assert str(caught.value).startswith(str(files[1]))
    assert "\n" not in str(caught.value)
    files[1].unlink()
    assert len(find_known(folder).keys) == 3


def test_a_file_that_is_gone_is_said(answers):
    folder, files = answers
    files[0].unlink()
    with pytest.raises(StorageError) as caught:
        list(read_answers(folder))
    assert str(caught.value).endswith("the answers cannot be read; No such file or directory.")


def test_a_damaged_index_is_said(answers, tmp_path):
    folder, _files = answers
    (tmp_path / INDEX).write_text('{"shards": [')
    with pytest.raises(StorageError, match=r"index\.json: the answers cannot be read"):
        list(read_answers(folder))


class Asked:
    """A question."""

    def facts(self):
        return {"engine": "keras"}


def test_answers_without_their_question_are_not_taken_for_those_to_another(answers, tmp_path):
    folder, files = answers
    with pytest.raises(ClusterError, match=r"question\.json is missing\. Name another folder"):
        claim(folder, Asked())
    for file in files:
        file.unlink()
    claim(folder, Asked())
    (tmp_path / QUESTION).write_text("{")
    with pytest.raises(StorageError, match=r"question\.json: the answers cannot be read"):
        claim(folder, Asked())


def test_each_image_is_answered_once(answers):
    folder, _files = answers
    write_shard(folder, shard_name(keys(1, 2)), [{"image": "again", "key": keys(1)[0]}])
    assert len(find_known(folder).keys) == 6
    assert len(np.unique(find_known(folder).keys)) == 6
