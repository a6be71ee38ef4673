"""WeightedSum: numbers times weights, summed up, plus a bias.

A value of a convolution, of a dense layer and of a product of matrices is such a sum. It is
computed exactly from whole numbers and Fractions, in float64 from the values of a trained network,
and with rounding from the numbers that are printed on a worksheet.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from convlens.explain.arithmetic.exact import Numbers, Rounding, exactly
from convlens.explain.arithmetic.writing import (
    DECIMALS,
    WRITTEN,
    Step,
    write_number,
    write_sum,
)


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
        name: str = "sum",
        *,
        mean: bool = False,
        decimals: int = DECIMALS,
        written: int = WRITTEN,
    ) -> list[Step]:
        """Return the steps from the products to their sum or mean, and to the sum with the bias.

        Args:
            name: The name of the sum.
            mean: Whether the sum is divided to give the mean of the products.
            decimals: The most decimals of a number.
            written: The most products that are written out.
        """
        terms = np.moveaxis(self.products, -1, 0).reshape(-1)
        text = "of {count:,} products".format(count=terms.size)
        if terms.size <= written:
            text = write_sum([write_number(one, decimals) for one in terms])
        steps = [Step(name, text, self.total)]
        if mean:
            total = write_number(self.total, decimals)
            steps.append(Step("mean", f"{total} / {self.divisor}", self.unbiased))
        if self.bias is not None:
            both = [write_number(one, decimals) for one in (self.unbiased, self.bias)]
            steps.append(Step("bias", write_sum(both), self.value))
        return steps
