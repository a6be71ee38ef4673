"""QR: an address as a picture that the camera of a phone opens."""

import importlib.util


def drawn(address: str) -> str:
    """Return an address as the `data:` address of a picture; nothing if segno is not installed.

    The picture is dark on white in every theme, since not all phones read others.
    """
    if importlib.util.find_spec("segno") is None:
        return ""
    import segno

    found: str = segno.make_qr(address, error="m").svg_data_uri(
        scale=4, border=3, dark="#000", light="#fff"
    )
    return found
