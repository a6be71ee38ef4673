"""Files of PyTorch's older format, written here by Python's pickle with stand-ins for PyTorch's names."""

import hashlib
import io
import os
import pickle
import random
import struct
import sys
import types
from collections import OrderedDict

import numpy as np
import pytest

from convlens.errors import ModelError
from convlens.zoo.torch_file import OPERATIONS, read_torch_file

CODES = {"FloatStorage": "f", "LongStorage": "q", "BFloat16Storage": "h"}


class Storage:
    """Stands for a storage: a row of values."""

    def __init__(self, key, values, kind="FloatStorage"):
        self.key, self.values, self.kind = key, list(values), kind


class Tensor:
    """Stands for a view of a storage."""

    def __init__(self, storage, offset, shape, strides):
        self.parts = (storage, offset, shape, strides, False, OrderedDict())

    def __reduce__(self):
        return sys.modules["torch._utils"]._rebuild_tensor_v2, self.parts


class Pickler(pickle.Pickler):
    def persistent_id(self, thing):
        if isinstance(thing, Storage):
            return (
                "storage",
                getattr(sys.modules["torch"], thing.kind),
                thing.key,
                "cpu",
                len(thing.values),
                None,
            )
        return None


@pytest.fixture(autouse=True)
def _torch(monkeypatch):
    """Give pickle the names that PyTorch's files have; they are never called."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")

    def rebuild(*parts):
        raise AssertionError("nothing of a file may be called")

    rebuild.__module__, rebuild.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2, torch._utils = rebuild, utils
    for kind in CODES:
        setattr(torch, kind, type(kind, (), {"__module__": "torch"}))
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)


def pickled(thing, protocol=2):
    stream = io.BytesIO()
    Pickler(stream, protocol).dump(thing)
    return stream.getvalue()


def head(little_endian=True, magic=0x1950A86A20F9469CFC6C):
    sizes = {"short": 2, "int": 4, "long": 4}
    facts = {"protocol_version": 1001, "little_endian": little_endian, "type_sizes": sizes}
    return pickled(magic) + pickled(1001) + pickled(facts)


def tail(*storages):
    content = pickled([storage.key for storage in storages])
    for storage in storages:
        count = len(storage.values)
        content += struct.pack(f"<q{count}{CODES[storage.kind]}", count, *storage.values)
    return content


@pytest.fixture
def read(tmp_path):
    def read(content, sha256=None):
        path = tmp_path / "weights.pth"
        path.write_bytes(content)
        return read_torch_file(path, sha256)

    return read


def one(thing, *storages):
    """Return a file with `thing` for its object."""
    return head() + pickled(thing) + tail(*storages)


def raw(program):
    """Return a file whose object is a program written by hand."""
    return head() + program + tail()


SIX = Storage("94", range(6))


def test_shapes_strides_and_offset_are_respected(read):
    count = Storage("7", [300], "LongStorage")
    tensors = {
        "rows": Tensor(SIX, 0, (2, 3), (3, 1)),
        "columns": Tensor(SIX, 0, (2, 3), (1, 2)),  # as files converted from TensorFlow have them
        "end": Tensor(SIX, 4, (2,), (1,)),
        "second": Tensor(SIX, 1, (3,), (2,)),
        "same": Tensor(SIX, 5, (2, 3), (0, 0)),
        "none": Tensor(SIX, 0, (0, 3), (3, 1)),
        "count": Tensor(count, 0, (), ()),
    }
    found = read(one(OrderedDict(tensors), SIX, count))
    assert list(found) == list(tensors)
    assert found["rows"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert found["columns"].tolist() == [[0, 2, 4], [1, 3, 5]]
    assert found["end"].tolist() == [4, 5]
    assert found["second"].tolist() == [1, 3, 5]
    assert found["same"].tolist() == [[5] * 3] * 2
    assert found["none"].shape == (0, 3)
    assert found["count"] == 300
    assert (found["rows"].dtype, found["count"].dtype) == (np.float32, np.int64)
    assert not found["rows"].flags.writeable


def test_notes_on_the_dictionary_are_left_out(read):
    tensors = OrderedDict(a=Tensor(SIX, 0, (6,), (1,)))
    tensors._metadata = OrderedDict([("", {"version": 1}), ("conv", {"version": 1})])
    assert list(read(one(tensors, SIX))) == ["a"]


def test_a_known_file_must_have_its_checksum(read):
    content = one({"a": Tensor(SIX, 0, (6,), (1,))}, SIX)
    assert read(content, hashlib.sha256(content).hexdigest())["a"].shape == (6,)
    with pytest.raises(
        ModelError, match=r"must begin with 000000000000, found [0-9a-f]{12}\. Take a whole copy"
    ):
        read(content, "0" * 64)


class Malicious:
    def __reduce__(self):
        return os.system, ("touch executed",)


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_a_program_is_refused_and_not_run(read, protocol, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        ModelError, match=r"may hold a dictionary of tensors only; .* at byte \d+.*Nothing was run"
    ):
        read(head() + pickled(OrderedDict(a=Malicious()), protocol) + tail())
    assert not (tmp_path / "executed").exists()
    pickle.loads(pickled(Malicious()))  # what PyTorch of that time would do
    assert (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    ("program", "said"),
    [
        (b"cos\nsystem\n.", "GLOBAL at byte 137 asks for the name 'os system'"),
        (b"cbuiltins\neval\n.", "'builtins eval'"),
        (b"ctorch.storage\n_load_from_bytes\n.", "'torch.storage _load_from_bytes'"),
        (b"ctorch\nBFloat16Storage\n.", "'torch BFloat16Storage'"),
        (
            b"ccollections\nOrderedDict\n(K\x01tR.",
            "a call of collections OrderedDict that makes no tensor",
        ),
        (b"ctorch\nFloatStorage\n)R.", "a call of torch FloatStorage"),
        (b"}0.", "the operation POP at byte 138"),
        (b"]}b.", "attributes of something else than a dictionary"),
        (b"(ios\nsystem\n.", "the operation INST at byte 138"),
        (b"(cos\nsystem\no.", "GLOBAL at byte 138"),
        (b"\x82\x01.", "the operation EXT1 at byte 137"),
        (b"\x8c\x02os\x8c\x06system\x93.", "the operation SHORT_BINUNICODE"),
        (b"}K\x01K\x02s.", "a dictionary with keys that are not text"),
        (b"}X\x01\x00\x00\x00aK\x01s.", "found something else under 'a'"),
        (b"].", "found another object"),
        (b"K\x01.", "found another object"),
        (b"K\x01Q.", "damaged"),
        (
            b"(X\x07\x00\x00\x00storageK\x01K\x01K\x01K\x01NtQ.",
            "BINPERSID at byte 160 asks for a storage of a kind",
        ),
    ],
)
def test_what_is_refused_is_named_with_its_place(read, program, said):
    with pytest.raises(ModelError, match=said):
        read(raw(program))


@pytest.mark.parametrize(
    ("program", "said"),
    [
        (b"\xff.", r"at position 137, opcode b'\\xff' unknown"),
        (b"}", "pickle exhausted before seeing STOP"),
        (b".", "pop from empty list"),
        (b"h\x05.", "value 5, which it has not kept"),
        (b"K\x01t.", "pop from empty list"),
        (b"(K\x01s.", "pop from empty list"),
        (b"K\x01K\x02a.", "no attribute 'extend'"),
        (b"X\xff\xff\xff\x7fa.", "expected 2147483647 bytes"),
    ],
)
def test_a_program_without_sense_is_called_damaged(read, program, said):
    with pytest.raises(
        ModelError, match=f"the file is damaged or was not written by PyTorch; near byte .*{said}"
    ):
        read(head() + program)


@pytest.mark.parametrize(
    ("tensor", "said"),
    [
        (Tensor(SIX, 1, (6,), (1,)), r"shape \(6,\) reaches beyond its 6 values"),
        (Tensor(SIX, 0, (2, 3), (4, 1)), "reaches beyond"),
        (Tensor(SIX, 0, (2**40,), (0,)), "reaches beyond"),  # would fill the memory when copied
        (Tensor(SIX, 0, (2**70,), (2**70,)), "reaches beyond"),
        (Tensor(SIX, -1, (2,), (1,)), "must be whole numbers"),
        (Tensor(SIX, 5, (2,), (-1,)), "must be whole numbers"),
        (Tensor(SIX, 0, (-1,), (1,)), "must be whole numbers"),
        (Tensor(SIX, 0, (2, 3), (1,)), "one stride an axis"),
        (Tensor(SIX, 0, ("2",), (1,)), "must be whole numbers"),
        (Tensor(SIX, 0, 6, 1), "damaged"),
        (Tensor(SIX, 0, (0, 2**70), (1, 1)), "damaged"),
    ],
)
def test_a_tensor_stays_within_its_storage(read, tensor, said):
    with pytest.raises(ModelError, match=said):
        read(one({"a": tensor}, SIX))


def test_storages_must_be_those_of_the_tensors(read):
    tensors = {"a": Tensor(SIX, 0, (6,), (1,))}
    for storages in ((), (SIX, Storage("95", [1]))):
        with pytest.raises(ModelError, match="its list of storages must have those of its tensors"):
            read(one(tensors, *storages))
    with pytest.raises(ModelError, match="storage '94' must have 6 values; 5 are announced"):
        read(one(tensors, Storage("94", range(5))))
    with pytest.raises(ModelError, match="makes no tensor"):
        read(one({"a": Tensor(None, 0, (6,), (1,))}, SIX))


def test_every_cut_is_noticed(read):
    content = one({"a": Tensor(SIX, 0, (2, 3), (3, 1))}, SIX)
    assert list(read(content)) == ["a"]
    for length in range(len(content)):
        with pytest.raises(ModelError, match="the file is damaged"):
            read(content[:length])
    with pytest.raises(ModelError, match="storage '94' must have 24 bytes; found 23"):
        read(content[:-1])


def test_damaged_bytes_raise_nothing_else(read):
    content = one({"a": Tensor(SIX, 0, (2, 3), (3, 1)), "b": Tensor(SIX, 0, (6,), (1,))}, SIX)
    rng, refused = random.Random(0), 0
    for _ in range(300):
        damaged = bytearray(content)
        for _ in range(rng.randint(1, 3)):
            damaged[rng.randrange(len(content))] = rng.randrange(256)
        try:
            read(bytes(damaged))
        except ModelError:
            refused += 1
    assert 100 < refused < 300  # a changed value of a tensor cannot be noticed


def test_other_files_say_what_they_are(read, tmp_path):
    with pytest.raises(
        ModelError, match=r"newer format, a zip archive.*_use_new_zipfile_serialization=False"
    ):
        read(b"PK\x03\x04rest")
    with pytest.raises(ModelError, match="does not begin as such a file does"):
        read(head(little_endian=False) + pickled({}) + tail())
    with pytest.raises(ModelError, match="does not begin as such a file does"):
        read(head(magic=1) + pickled({}) + tail())
    with pytest.raises(ModelError, match="damaged"):
        read(b"")
    with pytest.raises(ModelError, match="must be a readable file; No such file"):
        read_torch_file(tmp_path / "none.pth")
    with pytest.raises(ModelError, match="must be a readable file; Is a directory"):
        read_torch_file(tmp_path)


def test_deep_nesting_is_no_trouble(read):
    with pytest.raises(ModelError, match="found another object"):
        read(raw(b")" + b"\x85" * 200_000 + b"."))


def test_no_operation_can_import_or_call():
    assert not {
        "INST",
        "OBJ",
        "NEWOBJ",
        "NEWOBJ_EX",
        "STACK_GLOBAL",
        "EXT1",
        "EXT2",
        "EXT4",
        "PERSID",
    } & set(OPERATIONS)
