"""Microscope words: the texts that the scripts of the microscope page put together.

The page holds them in every language.
"""

from convlens.language import N_

WORDS = {
    "alt": N_("the image as the network sees it"),
    "filter": N_("filter {k}"),
    "channel": N_("channel {k}"),
    "unit": N_("unit {k}"),
    "number": N_("number {k}"),
    "class": N_("class {name} ({k})"),
    "place": N_("row {row}, column {column}"),
    "comma": N_(", "),
    "list": N_("{said}, {other}"),
    "facts": N_("{kind}, {shape}, from {inputs}"),
    "window": N_("window, channel {k}"),
    "kernel": N_("kernel"),
    "weights": N_("weights"),
    "products": N_("products"),
    "sum": N_("sum"),
    "input": N_("input"),
    "weight": N_("weight"),
    "product": N_("product"),
    "others": N_("others ({count})"),
    "other_channels": N_(
        "other channels ({count}) together {rest}; shown are the {shown} that add or take most."
    ),
    "of_products": N_("of {count} products"),
    "of_values": N_("of {count} values"),
    "max": N_("max"),
    "mean": N_("mean"),
    "winner": N_("the marked cell"),
    "bias": N_("bias"),
    "with": N_("{formula} with z = {z}"),
    "by_network": N_("by the network"),
    "share_of_all": N_("a share of all units"),
    "network": N_("network"),
    "own": N_("is the network's own value"),
    "same": N_("the same within rounding"),
    "differs": N_("it differs by {difference}"),
    "moved": N_("moved"),
    "passed": N_("passed on"),
    "idle": N_("it does nothing when the network predicts: every number passes as it is"),
    "zero": N_("a zero that was added"),
    "at": N_("{source} at {place}"),
    "joined": N_("the same place of every input"),
    "kept_mean": N_("mean kept from training"),
    "kept_variance": N_("variance kept from training"),
    "centred": N_("centred"),
    "deviation": N_("deviation"),
    "normalised": N_("normalised"),
    "scaled": N_("gamma × … + beta"),
    "rescaled": N_("pixel × scale + offset"),
    "largest": N_("largest z"),
    "shifted": N_("z - largest"),
    "power": N_("e^(z - largest)"),
    "total": N_("sum of all"),
    "share": N_("share"),
    "which": N_("number"),
    "logit": N_("logit"),
    "why_value": N_("row {row}, column {column}: {value}"),
    "why_added": N_(
        "row {row}, column {column}: {value}; divided by {count} places, it adds {added} to the "
        "sum, {share} % of all that is added or taken away"
    ),
}
