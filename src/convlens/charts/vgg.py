"""The chart of the VGG networks: the table of their configurations, from A to E."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from convlens.anatomy.summary import rounded
from convlens.charts.architecture import FACES
from convlens.charts.layer_texts import shape_text
from convlens.charts.sketch import Color, Point, draw_cell, mixed, sketch, text_width, write
from convlens.charts.style import BLUE, GREY
from convlens.errors import ConfigError
from convlens.language import _, listed
from convlens.zoo.registry import model_info
from convlens.zoo.vgg import CONFIGURATIONS, DENSE_UNITS, VARIANTS, Block

# Lengths are inches.
COLUMN = 1.22
ROW = 0.29
GAP = 0.06  # from column to column
LEFT = 0.2  # from the titles of the rows to the columns

# D and E are those of Keras.
NAMES = {configuration: name for name, (configuration, *_rest) in VARIANTS.items()}
NAMES |= {"D": "vgg16", "E": "vgg19"}
OLD = mixed(BLUE, 0.14)
NEW = mixed(BLUE, 0.45)

Cell = tuple[str, Color | None]  # a text and its colour
Row = tuple[str, Sequence[Cell | None]]  # what is written to the left, and the cells


def show_vgg(configurations: Sequence[str] = tuple(CONFIGURATIONS)) -> Figure:
    """Show the configurations of VGG side by side, as table 1 of its paper does.

    A convolution is written as there: conv3-64 has 3x3 kernels and 64 filters. A layer that the
    column to its left does not have is darker. Above stand the layers that have weights, and below
    the parameters and the multiply-adds on one image.

    Args:
        configurations: The columns, of "A", "A-LRN", "B", "C", "D" and "E".

    Raises:
        ConfigError: If there is no such configuration, or if none is given.

    Example:
        >>> texts = [text.get_text() for text in show_vgg().axes[0].texts]
        >>> texts.count("conv1-512"), texts[-1]
        (2, '19.6 G')
    """
    wrong = [name for name in configurations if name not in CONFIGURATIONS]
    if wrong or not configurations:
        raise ConfigError(
            _("the configurations of VGG are {known}; found {found}.").format(
                known=listed(CONFIGURATIONS), found=listed(wrong) or _("none")
            )
        )
    rows = [*_head(configurations), *_body(configurations), *_totals(configurations)]
    right = len(configurations) * (COLUMN + GAP) - GAP
    left = -LEFT - text_width([label for label, _cells in rows], 9)
    with sketch(left, -ROW * len(rows), right, 0) as (figure, axes):
        for number, (label, cells) in enumerate(rows, start=1):
            bottom = -ROW * number
            write(axes, (-LEFT, bottom + ROW / 2), label, ha="right", color=GREY)
            # A row of one cell reaches over all columns.
            width = COLUMN if len(cells) == len(configurations) else right
            for column, cell in enumerate(cells):
                if cell is not None:
                    corner = ((COLUMN + GAP) * column, bottom)
                    _draw(axes, corner, width, *cell)
    return figure


def _draw(axes: Axes, corner: Point, width: float, text: str, color: Color | None) -> None:
    """Draw a cell of the table, or its text only if it has no colour."""
    if color is not None:
        draw_cell(axes, corner, (width, ROW), color, text)
    else:
        write(axes, (corner[0] + width / 2, corner[1] + ROW / 2), text, fontsize=10)


def _head(configurations: Sequence[str]) -> list[Row]:
    """Return the rows with the names and how many layers have weights."""
    counts = [
        sum(len(block.kernel_sizes) for block in CONFIGURATIONS[name]) + len(DENSE_UNITS) + 1
        for name in configurations
    ]
    return [
        ("", [(name, None) for name in configurations]),
        (_("layers with weights"), [(str(count), None) for count in counts]),
    ]


def _body(configurations: Sequence[str]) -> list[Row]:
    """Return the rows of the layers."""
    rows: list[Row] = []
    info = model_info(NAMES[configurations[0]])
    pooling = _("max pooling {window}").format(window="2×2")
    for index in range(len(CONFIGURATIONS["A"])):
        blocks = [CONFIGURATIONS[name][index] for name in configurations]
        layers = [_layers(block) for block in blocks]
        height, width = (side // 2**index for side in info.input_shape[:2])
        for number in range(max(map(len, layers))):
            cells: list[Cell | None] = []
            for column, own in enumerate(layers):
                before = layers[column - 1] if column else own
                if number >= len(own):
                    cells.append(None)
                else:
                    is_new = own[number] not in before[number : number + 1]
                    cells.append((own[number], NEW if is_new else OLD))
            rows.append((shape_text((height, width)) if number == 0 else "", cells))
        rows.append(("", [(pooling, FACES["pooling"])]))
    for count in (*DENSE_UNITS, info.num_classes):
        text = _("dense, {count} units").format(count=f"{count:,}")
        rows.append(("", [(text, FACES["dense"])]))
    return rows


def _layers(block: Block) -> list[str]:
    """Return the layers of a block in the notation of the paper."""
    names = [f"conv{size}-{block.filters}" for size in block.kernel_sizes]
    return [*names, "LRN"] if block.lrn else names


def _totals(configurations: Sequence[str]) -> list[Row]:
    infos = [model_info(NAMES[name]) for name in configurations]
    return [
        (_("parameters"), [(rounded(info.num_params), None) for info in infos]),
        (_("multiply-adds"), [(rounded(info.multiply_adds), None) for info in infos]),
    ]
