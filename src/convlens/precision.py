"""Precision: the arithmetic of a training or a prediction, and which one this processor favours.

The names are public in `convlens.backend`.
"""

from pathlib import Path

from convlens.errors import ConfigError
from convlens.language import _, listed

PRECISIONS = ("auto", "float32", "bfloat16")


def has_fast_bfloat16() -> bool:
    """Return whether the processor multiplies bfloat16 in hardware (AMX or AVX-512 BF16).

    docs/decisions/precision.md says how much faster a training becomes.
    """
    path = Path("/proc/cpuinfo")  # on Linux only
    flags = path.read_text(encoding="ascii", errors="replace").split() if path.exists() else []
    return "amx_bf16" in flags or "avx512_bf16" in flags


def resolve_precision(precision: str) -> str:
    """Return the precision; for "auto", the one in which this processor computes faster.

    Raises:
        ConfigError: If the precision is not one of PRECISIONS.
    """
    if precision not in PRECISIONS:
        raise ConfigError(
            _("precision must be one of {known}; found {found!r}.").format(
                known=listed(PRECISIONS), found=precision
            )
        )
    if precision != "auto":
        return precision
    return "bfloat16" if has_fast_bfloat16() else "float32"
