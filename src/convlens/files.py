"""Files: what convlens writes is written whole or not at all, and what it once wrote still opens."""

from typing import Any

FORMER_NAMES = {  # keys of JSON files up to format 1 of the classifier, see docs/decisions/names.md
    "picture": "image",
    "pictures": "images",
    "pictures_seen": "images_seen",
}


def with_present_names(content: Any) -> Any:
    """Return the content of a JSON file with the keys of earlier releases renamed.

    >>> with_present_names({"pictures_seen": "test", "per_class": [{"pictures": 4}]})
    {'images_seen': 'test', 'per_class': [{'images': 4}]}
    """
    if isinstance(content, dict):
        return {
            FORMER_NAMES.get(name, name): with_present_names(value)
            for name, value in content.items()
        }
    if isinstance(content, list):
        return [with_present_names(value) for value in content]
    return content
