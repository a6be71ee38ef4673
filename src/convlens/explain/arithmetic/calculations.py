"""Calculations that are shown step by step: weighted sums, softmax and normalisation.

Each is computed exactly from whole numbers and Fractions, in float64 from the values of a trained
network, and with rounding from the numbers that are printed on a worksheet.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from convlens.explain.arithmetic.exact import Numbers, Rounding, exactly
from convlens.explain.arithmetic.writing import (
    DECIMALS,
    WRITTEN,
    Step,
    write,
    write_difference,
    write_number,
    write_sum,
    write_terms,
)
from convlens.language import N_, _


@dataclass(frozen=True)
class WeightedSum:
    """A sum of products, with its bias.

    Attributes:
        numbers: The numbers, of any shape.
        weights: The weights, of the same shape.
        bias: What is added to the sum; None where the layer has no bias.
        divisor: What the sum is divided by: the number of products where their mean is wanted.
        rest: The sum of further products that are not listed here.
        rounded: The rounding of the products.
    """

    numbers: Numbers
    weights: Numbers
    bias: Any = None
    divisor: int = 1
    rest: Any = 0
    rounded: Rounding = exactly

    @property
    def products(self) -> Numbers:
        """The products of numbers and weights, in the shape of both."""
        return np.asarray(self.rounded(self.numbers * self.weights))

    @property
    def total(self) -> Any:
        """The sum of the products that are listed."""
        return self.products.sum()

    @property
    def unbiased(self) -> Any:
        """The sum of all products, or their mean, before the bias is added."""
        return (self.total + self.rest) / self.divisor

    @property
    def value(self) -> Any:
        """The result, bias included."""
        return self.unbiased if self.bias is None else self.unbiased + self.bias

    def steps(
        self,
        name: str = "",
        *,
        mean: bool = False,
        decimals: int = DECIMALS,
        written: int = WRITTEN,
    ) -> list[Step]:
        """Return the steps from the products to their sum or mean, and to the sum with the bias.

        Args:
            name: The name of the sum; "sum" if not given.
            mean: Whether the sum is divided to give the mean of the products.
            decimals: The most decimals of a number.
            written: The most products that are written out.
        """
        terms = np.moveaxis(self.products, -1, 0).reshape(-1)
        text = write_terms(terms, N_("of {count:,} products"), decimals, written)
        steps = [Step(name or _("sum"), text, self.total)]
        if mean:
            total = write_number(self.total, decimals)
            steps.append(Step(_("mean"), f"{total} / {self.divisor}", self.unbiased))
        if self.bias is not None:
            both = [write_number(one, decimals) for one in (self.unbiased, self.bias)]
            steps.append(Step(_("bias"), write_sum(both), self.value))
        return steps


@dataclass(frozen=True)
class Softmax:
    """A softmax over n numbers.

    Attributes:
        logits: The numbers z, shaped (n,).
        rest: The sum of e^(z - largest) of further numbers that are not listed here.
        rounded: The rounding of every result.
    """

    logits: Numbers
    rest: float = 0.0
    rounded: Rounding = exactly

    @property
    def shifted(self) -> Numbers:
        """Logits minus the largest, shaped (n,), so that e^z stays finite; shares stay the same."""
        return np.asarray(self.rounded(self.logits - self.logits.max()))

    @property
    def exponentials(self) -> Numbers:
        """The exponentials of the shifted logits, shaped (n,)."""
        return np.asarray(self.rounded(np.exp(self.shifted)))

    @property
    def total(self) -> float:
        """The sum of all exponentials."""
        return float(self.exponentials.sum()) + self.rest

    @property
    def output(self) -> Any:
        """The share of each number in the total, shaped (n,)."""
        return self.rounded(self.exponentials / self.total)

    def steps(self, place: int) -> list[Step]:
        """Return the steps from one of the logits to its share."""
        difference = write_difference(write(self.logits[place]), write(self.logits.max()))
        shifted = self.shifted[place]
        power = self.exponentials[place]
        return [
            Step(_("z - largest"), difference, shifted),
            Step(_("e^(z - largest)"), f"e^({write(shifted)})", power),
            Step(_("sum of all"), write_terms(self.exponentials), self.total),
            Step("softmax", f"{write(power)} / {write(self.total)}", self.output[place]),
        ]


@dataclass(frozen=True)
class Normalization:
    """Numbers that are brought to mean 0 and deviation 1, then scaled and shifted.

    All attributes are numbers, or arrays that NumPy can broadcast.

    Attributes:
        inputs: The numbers z.
        mean: The mean that is subtracted.
        variance: The variance; it is divided by n, not by n - 1.
        epsilon: What is added to the variance, so that nothing is divided by 0.
        gamma: The scale.
        beta: The shift.
        rounded: The rounding of every result.
    """

    inputs: Any
    mean: Any
    variance: Any
    epsilon: float = 0.0
    gamma: Any = 1.0
    beta: Any = 0.0
    rounded: Rounding = exactly

    @property
    def centred(self) -> Any:
        """Inputs minus mean."""
        return self.rounded(self.inputs - self.mean)

    @property
    def deviation(self) -> Any:
        """The square root of variance + epsilon."""
        return self.rounded(np.sqrt(self.variance + self.epsilon))

    @property
    def normalized(self) -> Any:
        """Centred inputs divided by the deviation."""
        return self.rounded(self.centred / self.deviation)

    @property
    def output(self) -> Any:
        """Gamma x normalized + beta."""
        return self.rounded(self.gamma * self.normalized + self.beta)

    def steps(self, mean: Step) -> list[Step]:
        """Return the steps of the normalisation of one number.

        Args:
            mean: The first step, which says where the mean comes from.
        """
        root = f"√{write(self.variance)}"
        if self.epsilon:
            root = f"√({write(self.variance)} + {self.epsilon:g})"
        centred = write_difference(write(self.inputs), write(self.mean))
        scaled = f"{write(self.gamma)} × {write(self.normalized)}"
        return [
            mean,
            Step(_("centred"), centred, self.centred),
            Step(_("deviation"), root, self.deviation),
            Step(
                _("normalised"), f"{write(self.centred)} / {write(self.deviation)}", self.normalized
            ),
            Step(_("scaled, shifted"), write_sum([scaled, write(self.beta)]), self.output),
        ]
