import pytest
from PIL import Image


@pytest.fixture
def table(tmp_path):
    """Return a function that writes a table, beside six images."""
    for i in range(6):
        Image.new("L", (2, 2)).save(tmp_path / f"圖 {i}.png")

    def write(text, encoding="utf-8"):
        path = tmp_path / "t.csv"
        path.write_bytes(text.encode(encoding))
        return path

    return write
