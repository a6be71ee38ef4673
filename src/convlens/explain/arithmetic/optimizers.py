"""Optimizers: how one weight moves in one step, number by number, as Keras' optimizers move it.

All of them begin with the weight decay, if there is one: w <- w - rate x decay x w. Then, with the
gradient g of the loss of the batch by the weight:

    sgd         w - rate g
    momentum    v = momentum v - rate g;  w + momentum v - rate g  (Nesterov; else w + v)
    adam        m and v are running means of g and g^2;  w - rate' m / (sqrt(v) + epsilon), where
                rate' = rate sqrt(1 - beta_2^t) / (1 - beta_1^t) in step t
    rmsprop     v is a running mean of g^2;  w - rate g / sqrt(v + epsilon)
    adagrad     a is the sum of g^2;  w - rate g / sqrt(a + epsilon)
    adadelta    a and u are running means of g^2 and of d^2;
                d = -sqrt(u + epsilon) / sqrt(a + epsilon) g;  w + rate d

Sources     Nesterov 1983; Duchi et al. 2011; Tieleman and Hinton 2012; Zeiler 2012,
            arXiv:1212.5701; Kingma and Ba 2014, arXiv:1412.6980 (its section 2 has rate' with the
            order of computation that Keras uses); Loshchilov and Hutter 2017, arXiv:1711.05101.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from convlens.errors import ConfigError
from convlens.explain.arithmetic.writing import Step
from convlens.language import _, listed


@dataclass(frozen=True)
class Rule:
    """An optimizer before one of its steps.

    Attributes:
        kind: Its name, a key of `RULES`.
        learning_rate: The learning rate of this step and this weight.
        weight_decay: The weight decay, 0 where the weight does not decay.
        step: The number of the step, counted from 1.
        numbers: The other settings by their names in Keras, such as beta_1.
    """

    kind: str
    learning_rate: float
    weight_decay: float = 0.0
    step: int = 1
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Update:
    """What one step did to one weight.

    Attributes:
        before: The weight before the step.
        gradient: The gradient of the loss of the batch by it.
        steps: The calculation; the value of its last step is the weight after the step.
    """

    before: float
    gradient: float
    steps: tuple[Step, ...]

    @property
    def after(self) -> float:
        """The weight after the step."""
        return float(self.steps[-1].value)

    @property
    def change(self) -> float:
        """By how much the weight has moved."""
        return self.after - self.before


def update_weight(rule: Rule, weight: float, gradient: float, known: Sequence[float]) -> Update:
    """Move one weight by one step.

    Args:
        rule: The optimizer.
        weight: The weight before the step.
        gradient: The gradient of the loss of the batch by it.
        known: What the optimizer has kept for the weight, in the order of the names above: v; m and
            v; a; a and u. Nothing for sgd.

    Raises:
        ConfigError: If the optimizer has no rule for a single weight.

    Example:
        >>> round(update_weight(Rule("sgd", 0.5), 0.40, 0.082167041, ()).after, 9)
        0.35891648
    """
    if rule.kind not in RULES:
        raise ConfigError(
            _("there is a rule for one weight for {known} only; found {kind}.").format(
                known=listed(RULES), kind=rule.kind
            )
        )
    steps: list[Step] = []
    moved = weight
    if rule.weight_decay:
        moved = weight - rule.learning_rate * rule.weight_decay * weight
        text = f"{_say(weight)} - {_say(rule.learning_rate)} × {_say(rule.weight_decay)} × "
        steps.append(Step(_("weight decay"), text + _say(weight), moved))
    return Update(weight, gradient, (*steps, *RULES[rule.kind](rule, moved, gradient, known)))


def _say(value: float) -> str:
    """Return a number with eight digits, as many as float32 has; a negative one in brackets."""
    return f"({value:.8g})" if value < 0 else f"{value:.8g}"


def _move(weight: float, by: float, text: str) -> Step:
    return Step(_("weight after"), f"{_say(weight)} {text}", weight + by)


def _sgd(rule: Rule, weight: float, gradient: float, known: Sequence[float]) -> list[Step]:
    rate = rule.learning_rate
    return [_move(weight, -rate * gradient, f"- {_say(rate)} × {_say(gradient)}")]


def _momentum(rule: Rule, weight: float, gradient: float, known: Sequence[float]) -> list[Step]:
    rate = rule.learning_rate
    share = rule.numbers["momentum"]
    velocity = share * known[0] - rate * gradient
    fall = f"- {_say(rate)} × {_say(gradient)}"
    steps = [Step(_("velocity v"), f"{_say(share)} × {_say(known[0])} {fall}", velocity)]
    if not rule.numbers.get("nesterov"):
        return [*steps, _move(weight, velocity, f"+ {_say(velocity)}")]
    ahead = share * velocity - rate * gradient
    return [*steps, _move(weight, ahead, f"+ {_say(share)} × {_say(velocity)} {fall}")]


def _adam(rule: Rule, weight: float, gradient: float, known: Sequence[float]) -> list[Step]:
    one, two, epsilon = (rule.numbers[name] for name in ("beta_1", "beta_2", "epsilon"))
    mean = one * known[0] + (1 - one) * gradient
    square = two * known[1] + (1 - two) * gradient**2
    grown = math.sqrt(1 - two**rule.step) / (1 - one**rule.step)
    rate = rule.learning_rate * grown
    return [
        _running(_("mean m of the gradients"), one, known[0], mean, _say(gradient)),
        _running(_("mean v of their squares"), two, known[1], square, f"{_say(gradient)}²"),
        Step(
            _("rate in step {step}").format(step=rule.step),
            f"{_say(rule.learning_rate)} × √(1 - {_say(two)}^{rule.step}) / "
            f"(1 - {_say(one)}^{rule.step})",
            rate,
        ),
        _move(
            weight,
            -rate * mean / (math.sqrt(square) + epsilon),
            f"- {_say(rate)} × {_say(mean)} / (√{_say(square)} + {_say(epsilon)})",
        ),
    ]


def _rmsprop(rule: Rule, weight: float, gradient: float, known: Sequence[float]) -> list[Step]:
    share, epsilon = rule.numbers["rho"], rule.numbers["epsilon"]
    square = share * known[0] + (1 - share) * gradient**2
    name = _("mean v of the squared gradients")
    step = _running(name, share, known[0], square, f"{_say(gradient)}²")
    return [step, _divided(rule, weight, gradient, square, epsilon)]


def _adagrad(rule: Rule, weight: float, gradient: float, known: Sequence[float]) -> list[Step]:
    total = known[0] + gradient**2
    name = _("sum a of the squared gradients")
    step = Step(name, f"{_say(known[0])} + {_say(gradient)}²", total)
    return [step, _divided(rule, weight, gradient, total, rule.numbers["epsilon"])]


def _adadelta(rule: Rule, weight: float, gradient: float, known: Sequence[float]) -> list[Step]:
    share, epsilon = rule.numbers["rho"], rule.numbers["epsilon"]
    square = share * known[0] + (1 - share) * gradient**2
    by = -math.sqrt(known[1] + epsilon) / math.sqrt(square + epsilon) * gradient
    name = _("mean a of the squared gradients")
    rate = rule.learning_rate
    small = _say(epsilon)
    return [
        _running(name, share, known[0], square, f"{_say(gradient)}²"),
        Step(
            _("direction d"),
            f"-√({_say(known[1])} + {small}) / √({_say(square)} + {small}) × {_say(gradient)}",
            by,
        ),
        _move(weight, rate * by, f"+ {_say(rate)} × {_say(by)}"),
    ]


def _running(name: str, share: float, before: float, after: float, added: str) -> Step:
    """Return the step of a running mean that keeps a share of what it was before."""
    rest = _say(1 - share)
    return Step(name, f"{_say(share)} × {_say(before)} + {rest} × {added}", after)


def _divided(rule: Rule, weight: float, gradient: float, square: float, epsilon: float) -> Step:
    rate = rule.learning_rate
    return _move(
        weight,
        -rate * gradient / math.sqrt(square + epsilon),
        f"- {_say(rate)} × {_say(gradient)} / √({_say(square)} + {_say(epsilon)})",
    )


RULES: dict[str, Callable[[Rule, float, float, Sequence[float]], list[Step]]] = {
    "sgd": _sgd,
    "momentum": _momentum,
    "adam": _adam,
    "adamw": _adam,
    "rmsprop": _rmsprop,
    "adagrad": _adagrad,
    "adadelta": _adadelta,
}
