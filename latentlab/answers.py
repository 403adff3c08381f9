"""Answers: what a reasoner said to one example or to several, and the way they were reached."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float
from torch import Tensor

from latentlab.backbones.sight import Sight
from latentlab.data.example import Example
from latentlab.measures.outcomes import log_odds
from latentlab.reasoning.trajectory import Trajectory

if TYPE_CHECKING:
    from latentlab.notebook import Look


@dataclass(frozen=True)
class Answer:
    """What a reasoner said to one example."""

    text: str
    """The generated text, rationale (where one is written) and answer."""

    choice: int | None
    """Index of the choice that the text names, by the strict reading; None for no single one."""

    option_logprobs: tuple[float, ...]
    """Log-likelihood of each choice in nats; empty without choices."""

    latent_steps: int
    """Latent steps taken; none where steps are written in words."""

    new_tokens: int
    """Tokens generated, written steps and the end token among them."""

    seconds: float
    """Time for this answer: the batch's time divided by its size."""

    at_once: bool = True
    """Whether the model itself went on with the answer marker right after its latent steps."""

    @property
    def autoregressive_steps(self) -> int:
        """Latent steps and generated tokens together, as the paper's main table counts them."""
        return self.latent_steps + self.new_tokens

    @property
    def likeliest(self) -> int | None:
        """Index of the choice with the highest log-likelihood."""
        return int(np.argmax(self.option_logprobs)) if self.option_logprobs else None


@dataclass(frozen=True)
class Answered:
    """One answer together with the way it was reached."""

    answer: Answer
    """What was said."""

    trajectory: Trajectory
    """The rollout's state after its latent steps: latents, picks, captured attention."""

    example: Example
    """What was asked."""

    sight: Sight | None = None
    """How patches lie on the picture; None without one."""

    def __str__(self) -> str:
        """Return the answer's text."""
        return self.answer.text

    def _repr_html_(self) -> str:
        """Show question, picture and steps in a notebook."""
        from latentlab.notebook import answered_html  # only notebooks need it

        example, answer = self.example, self.answer
        return answered_html(
            example.question,
            example.image,
            self.sight,
            [self._look(step) for step in range(len(self.trajectory.latents))],
            dict(zip(example.choices, answer.option_logprobs, strict=True)),
            answer.choice,
            answer.text,
            f"{answer.latent_steps} latent steps, {answer.new_tokens} tokens",
        )

    def _look(self, step: int) -> "Look":
        """Where one latent step looks, averaged over layers and heads, and what it picks."""
        from latentlab.notebook import Look

        state = self.trajectory
        seen, picks = None, state.latents[step].picks
        if state.rows:
            row = state.rows[step].mean(dim=(0, 2))[0]
            seen = row[state.patches.index[0][state.patches.exists[0]]].tolist()
        return Look(seen, None if picks is None else [p for p in picks[0].tolist() if p >= 0])


@dataclass(frozen=True)
class Run:
    """Some examples asked together, and everything that happened on the way to their answers."""

    examples: tuple[Example, ...]
    """What was asked."""

    trajectory: Trajectory
    """The state after the latent steps."""

    answers: tuple[Answer, ...]
    """What was said, in the order of the examples."""

    def attention(self, step: int, layer: int) -> Float[Tensor, "examples heads keys"]:
        """Attention of the position that a step begins from; see `Trajectory.attention`."""
        return self.trajectory.attention(step, layer)

    def latent_text(self, step: int) -> Float[Tensor, "examples hidden"] | None:
        """The latent text of a step, counted from 1, as it was appended; None where none was."""
        return self.trajectory.latents[step - 1].text

    @property
    def log_odds(self) -> dict[str, float]:
        """Log-odds of the right option against all others, in nats, by example.

        Examples without options or without a known answer are left out.
        """
        pairs = zip(self.examples, self.answers, strict=True)
        return {
            example.id: log_odds(answer.option_logprobs, example.choices.index(example.answer))
            for example, answer in pairs
            if example.choices and example.answer
        }
