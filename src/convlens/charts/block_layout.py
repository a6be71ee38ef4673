"""Layout of a block: where the boxes of its layers stand, and how the lines between them run.

A path stands from top to bottom and its branches stand side by side. A line that leads past layers,
such as the shortcut of a residual block, runs in a lane to their right.
"""

from dataclasses import dataclass, field

from convlens.anatomy.stages import Part, arrange
from convlens.anatomy.summary import LayerRow
from convlens.charts.sketch import Point

# Lengths are inches.
DOWN = 0.34  # from box to box
APART = 0.35  # from branch to branch
LANE = 0.3  # from the boxes to a lane, and from lane to lane

Edge = tuple[int, int]  # from the number of a row to that of another


@dataclass
class Layout:
    """Where boxes stand and lines run.

    Attributes:
        rows: The layers; their inputs are numbers of these rows.
        sizes: The (width, height) of each box.
        places: The middle of the upper side of each box, by the number of its row.
        lanes: The horizontal position of each line that leads past layers.
        shortcuts: The connections from a fork past a branch to where both meet.
    """

    rows: list[LayerRow]
    sizes: list[tuple[float, float]]
    places: dict[int, Point] = field(default_factory=dict)
    lanes: dict[Edge, float] = field(default_factory=dict)
    shortcuts: list[Edge] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._numbers = {id(row): number for number, row in enumerate(self.rows)}
        self._place(arrange(self.rows), (0.0, 0.0), 0)
        self._open_lanes()
        self._avoid_boxes()

    def edges(self) -> list[Edge]:
        """Return the connections between neighbours, which need no lane."""
        past = {*self.shortcuts, *self.lanes}
        found = ((before, number) for number in self.places for before in self.rows[number].inputs)
        return [edge for edge in found if edge not in past]

    def bottom(self, number: int) -> float:
        """Return where the lower side of a box is."""
        return self.places[number][1] - self.sizes[number][1]

    def _width(self, parts: tuple[Part, ...]) -> float:
        return max(self._size(part)[0] for part in parts)

    def _height(self, parts: tuple[Part, ...]) -> float:
        return sum(self._size(part)[1] for part in parts) + DOWN * (len(parts) - 1)

    def _size(self, part: Part) -> tuple[float, float]:
        """Return the width and height of a layer, or of a block with its meeting."""
        if isinstance(part, LayerRow):
            return self.sizes[self._numbers[id(part)]]
        branches = [branch for branch in part.branches if branch]
        width = sum(map(self._width, branches)) + APART * (len(branches) - 1)
        height = max(map(self._height, branches))
        if () in part.branches:
            width += 2 * LANE
        if part.meeting is not None:
            meeting = self._size(part.meeting)
            width = max(width, meeting[0])
            height += DOWN + meeting[1]
        return width, height

    def _place(self, parts: tuple[Part, ...], place: Point, fork: int) -> None:
        """Place parts below each other from a place on; the path comes from the fork."""
        x, y = place
        for part in parts:
            if isinstance(part, LayerRow):
                fork = self._numbers[id(part)]
                self.places[fork] = (x, y)
            else:
                branches = [branch for branch in part.branches if branch]
                wide = sum(map(self._width, branches)) + APART * (len(branches) - 1)
                tall = max(map(self._height, branches))
                left = x - wide / 2
                for branch in branches:
                    width = self._width(branch)
                    down = tall - self._height(branch)
                    self._place(branch, (left + width / 2, y - down), fork)
                    left += width + APART
                if part.meeting is not None:
                    meeting = self._numbers[id(part.meeting)]
                    self.places[meeting] = (x, y - tall - DOWN)
                    if () in part.branches:
                        self.shortcuts.append((fork, meeting))
                        self.lanes[fork, meeting] = x + max(wide, self.sizes[meeting][0]) / 2 + LANE
                    fork = meeting
            y -= self._size(part)[1] + DOWN

    def _open_lanes(self) -> None:
        """Let lines to concatenations of concatenations begin where their values are made.

        In a dense block, every output then leads to all later concatenations. The earliest has the
        lane farthest to the right.
        """
        joined = {
            target: source
            for source, target in self.shortcuts
            if self.rows[target].kind == "Concatenate"
        }
        lines: dict[Edge, float] = {}
        for source, target in self.shortcuts:
            sources = [source]
            while sources[0] in joined and target in joined:
                before = joined[sources[0]]
                made = [one for one in self.rows[sources[0]].inputs if one != before]
                sources = [before, *made, *sources[1:]]
            lines |= {(one, target): self.lanes[source, target] for one in sources}
        begins = {source for source, _ in lines}
        self.lanes = {}
        for source, target in lines:
            end = max(to for one, to in lines if one == source)
            right = max(x for (one, _), x in lines.items() if one == source)
            inner = sum(source < other < end for other in begins)
            self.lanes[source, target] = right + 0.7 * LANE * inner

    def _avoid_boxes(self) -> None:
        """Give a lane to each line that would run through a box.

        This happens only where the branches of a network are connected with each other.
        """
        right = max(x + self.sizes[number][0] / 2 for number, (x, _) in self.places.items())
        through = [edge for edge in self.edges() if self._runs_through(edge)]
        first = max([right, *self.lanes.values()]) + LANE
        for count, edge in enumerate(through):
            self.lanes[edge] = first + 0.7 * LANE * count

    def _runs_through(self, edge: Edge) -> bool:
        source, target = edge
        x = self.places[source if len(self.rows[target].inputs) > 1 else target][0]
        top = self.bottom(source)
        bottom = self.places[target][1]
        return any(
            abs(self.places[other][0] - x) < self.sizes[other][0] / 2
            and self.places[other][1] > bottom
            and self.bottom(other) < top
            for other in self.places
            if other not in edge
        )
