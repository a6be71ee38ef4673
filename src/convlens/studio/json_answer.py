"""JSON answer: answers of the studio, in which names that are not UTF-8 are text.

Python keeps such a name with lone surrogates, which no answer can hold (`convlens.text`).
"""

import json
import re
from typing import Any

from starlette import responses

LONE = re.compile("[\ud800-\udfff]")


class JSONResponse(responses.JSONResponse):
    r"""An answer in JSON, where a surrogate is the six characters that `printable` gives.

    >>> JSONResponse("gr\udcf6n").body
    b'"gr\\\\udcf6n"'
    """

    def render(self, content: Any) -> bytes:
        """Return the bytes of the answer."""
        text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return LONE.sub(lambda found: "\\" + ascii(found[0])[1:-1], text).encode()
