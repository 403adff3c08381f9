"""What a study costs on paper: operations and bytes of a model, and the least time they take.

    python -m benchmarks.scaling

Nothing is run but one product of matrices, which tells how fast this core is. Operations are those
of matrix products, two for each weight and token, and of attention, four for each pair of positions
and width; bytes are weights, read once a pass, and keys and values, read once a pass and sequence.
A phase takes at least what the slower of the two takes. docs/scaling.md reads the table.
"""

import time
from dataclasses import dataclass

import pandas as pd
import torch

from latentlab import console
from latentlab.reasoning.plan import LatentPlan


@dataclass(frozen=True)
class Model:
    """Sizes of a vision-language model; grouped-query attention, gated MLPs."""

    hidden: int
    layers: int
    heads: int
    key_value_heads: int
    feed_forward: int
    vocabulary: int
    vision_weights: float
    """Weights of the vision tower."""

    bytes_a_weight: int = 2

    @property
    def key_value(self) -> int:
        """Width of keys, and of values, of a token in a layer."""
        return self.hidden // self.heads * self.key_value_heads

    @property
    def weights(self) -> float:
        """Weights of the decoder's layers."""
        attention = 2 * self.hidden**2 + 2 * self.hidden * self.key_value
        return self.layers * (attention + 3 * self.hidden * self.feed_forward)

    @property
    def head(self) -> float:
        """Weights of the head."""
        return self.hidden * self.vocabulary


@dataclass(frozen=True)
class Setting:
    """What every question is asked."""

    examples: int = 2318
    """Test examples of M3CoT."""

    arms: int = 32
    text: int = 126
    image: int = 100
    patches: int = 400
    """Positions of the vision tower, before four become one."""

    steps: int = 3
    k: int = 32
    answer: int = 10
    options: int = 4
    option: int = 2
    """Tokens of an option that is scored."""

    @property
    def prompt(self) -> int:
        """Tokens of a prompt."""
        return self.text + self.image

    @property
    def slots(self) -> int:
        """Slots of all latent steps."""
        return self.steps * (self.k + 1)


@dataclass(frozen=True)
class Machine:
    """What computes."""

    name: str
    operations: float
    """Operations a second at most (bfloat16 tensor cores, dense)."""

    bandwidth: float
    """Bytes a second at most."""

    memory: float
    """Bytes."""

    count: int = 1


QWEN2_VL_7B = Model(3584, 28, 28, 4, 18944, 152064, 675e6)
MACHINES = (
    Machine("1 x RTX A6000", 154.8e12, 768e9, 48e9),
    Machine("1 x H100 SXM", 989e12, 3.35e12, 80e9),
    Machine("8 x H100 SXM", 989e12, 3.35e12, 80e9, 8),
)


@dataclass(frozen=True)
class Cost:
    """Operations, and bytes that are read."""

    operations: float
    bytes: float

    def seconds(self, machine: Machine) -> float:
        """The least time on one device."""
        return max(self.operations / machine.operations, self.bytes / machine.bandwidth)


def passed(
    model: Model, sequences: float, new: float, before: float, heads: float, passes: float = 1
) -> Cost:
    """Run new tokens of some sequences behind what they hold already.

    Args:
        model: the model.
        sequences: how many.
        new: tokens of each.
        before: tokens that each holds, on average.
        heads: of the new tokens those whose next token is predicted.
        passes: into how many passes the tokens are divided.
    """
    products = 2 * sequences * (new * model.weights + heads * model.head)
    attention = 4 * model.layers * model.hidden * sequences * new * (before + new / 2)
    weights = passes * (model.weights + model.head) * model.bytes_a_weight
    kept = sequences * (before + new / 2) * passes
    keys = kept * 2 * model.layers * model.key_value * model.bytes_a_weight
    return Cost(products + attention, weights + keys)


def phases(model: Model, setting: Setting, together: int) -> dict[str, Cost]:
    """What a batch of questions costs, phase by phase, with all arms as rows of one batch."""
    rows = together * setting.arms
    seen = 2 * together * setting.patches * model.vision_weights
    options = rows * setting.options
    behind = setting.prompt + setting.slots
    return {
        "pictures": Cost(seen, model.vision_weights * model.bytes_a_weight),
        "prompts": passed(model, together, setting.prompt, 0, 1),
        "latent steps": passed(model, rows, setting.slots, setting.prompt, 0, passes=setting.steps),
        "answers": passed(model, rows, setting.answer, behind, setting.answer, setting.answer),
        "options": passed(model, options, setting.option, behind, setting.option),
    }


def recomputed(model: Model, setting: Setting) -> float:
    """Operations of one answer of the released code.

    It runs the whole sequence again at each step, and twice more before its second token, with
    logits of all positions.
    """
    lengths = [setting.prompt + step * (setting.k + 1) for step in range(setting.steps + 1)]
    lengths.append(lengths[-1])
    whole = sum(passed(model, 1, n, 0, n).operations for n in lengths)
    rest = passed(model, 1, setting.answer - 1, lengths[-1], setting.answer - 1).operations
    return whole + rest + 2 * setting.patches * model.vision_weights


def room(model: Model, setting: Setting, machine: Machine) -> int:
    """Questions whose arms fit the memory that weights leave, nine tenths of it."""
    weights = (model.weights + 2 * model.head + model.vision_weights) * model.bytes_a_weight
    longest = setting.prompt + setting.slots + setting.answer
    a_sequence = longest * 2 * model.layers * model.key_value * model.bytes_a_weight
    return max(1, int(0.9 * (machine.memory - weights) / (a_sequence * setting.arms)))


def table(model: Model, setting: Setting) -> pd.DataFrame:
    """One line a machine."""
    alone = recomputed(model, setting) * setting.arms * setting.examples
    lines = []
    for machine in MACHINES:
        together = min(room(model, setting, machine), 64)
        of_batch = phases(model, setting, together)
        batches = setting.examples / together / machine.count
        seconds = {name: cost.seconds(machine) * batches for name, cost in of_batch.items()}
        operations = (
            sum(cost.operations for cost in of_batch.values()) * setting.examples / together
        )
        bound = [
            name
            for name, cost in of_batch.items()
            if cost.bytes / machine.bandwidth > cost.operations / machine.operations
        ]
        lines.append(
            {
                "machine": machine.name,
                "questions": together,
                "peta": operations / 1e15,
                "floor": sum(seconds.values()),
                **seconds,
                "recomputing": alone / machine.operations / machine.count,
                "bytes_bound": ", ".join(bound) or "nothing",
            }
        )
    return pd.DataFrame(lines)


def core_rate(size: int = 1024, repeats: int = 5) -> float:
    """Operations a second of single-precision products on one thread of this machine."""
    torch.set_num_threads(1)
    one = torch.randn(size, size)
    taken = []
    for _ in range(repeats):
        started = time.process_time()
        one @ one
        taken.append(time.process_time() - started)
    return 2 * size**3 / min(taken)


def main() -> None:
    """Show the table."""
    setting = Setting()
    lines = table(QWEN2_VL_7B, setting)
    columns = {
        "machine": "machine",
        "questions": "questions at a time",
        "floor": "floor, s",
        "latent steps": "latent steps, s",
        "answers": "answers, s",
        "options": "options, s",
        "recomputing": "recomputing, s",
        "bytes_bound": "bound by bytes",
    }
    console.table(lines, columns, f"{setting.examples:,} questions x {setting.arms} arms, 7B")
    console.show(f"{lines['peta'].iloc[0]:.0f} peta operations in all.")
    from benchmarks.shapes import medium, on_paper  # which are built on this module

    small = on_paper(medium(LatentPlan(steps=0)))
    operations = sum(c.operations for c in phases(small, Setting(options=0), 1).values())
    rate = core_rate()
    console.show(
        f"This core does {rate / 1e9:.0f} giga operations a second: 32 interventions on one "
        f"question of the 46M model, all of them at every step, are {operations / 1e9:.0f} giga "
        f"operations and take at least {operations / rate:.1f} s."
    )


if __name__ == "__main__":
    main()
