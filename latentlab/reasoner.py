"""A model that reasons in latent space, ready to be asked.

A `Reasoner` holds what a checkpoint holds (backbone, plan, prompts) and answers questions. It is
also what every study is given: `rollout` makes engines, `decode` turns their states into answers.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch

from latentlab.answers import Answer, Answered, Run
from latentlab.backbones import Backbone, Batch
from latentlab.backbones.sight import sight_of
from latentlab.data.example import Example
from latentlab.data.pictures import Picture, open_picture
from latentlab.measures.scores import parse_answer
from latentlab.prompts import Prompter
from latentlab.reasoning.bank import Bank
from latentlab.reasoning.decode import append_text, option_logprobs
from latentlab.reasoning.greedy import greedy, kinds_of
from latentlab.reasoning.interventions import Hooked, Intervention, applied
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.rollout import Rollout
from latentlab.reasoning.trajectory import Trajectory


class Reasoner:
    """A backbone with a plan and a way to word prompts."""

    def __init__(
        self,
        backbone: Backbone,
        plan: LatentPlan,
        prompter: Prompter,
        placeholder_id: int | None = None,
        name: str = "model",
        brings_plan: bool = True,
    ) -> None:
        """Put the parts together.

        Args:
            backbone: the model.
            plan: how it reasons.
            prompter: how it is asked.
            placeholder_id: token whose embedding fills slots without content.
            name: what rows call it.
            brings_plan: whether a plan came with the weights, this one or another.
        """
        self.backbone = backbone
        self.plan = prompter.resolve(plan)
        self.prompter = prompter
        self.placeholder_id = placeholder_id
        self.name = name
        self.brings_plan = brings_plan
        self.method = ""
        """The method that the model was trained to follow (`methods.taught`), if any."""
        self.met_placeholder: bool | None = None
        """Whether its training put the placeholder token into slots; None where nothing tells."""

    def rollout(
        self, plan: LatentPlan | None = None, seed: int = 0, capture_layers: Sequence[int] = ()
    ) -> Rollout:
        """Make an engine that follows the reasoner's plan, or another."""
        plan = self.prompter.resolve(self.plan if plan is None else plan)
        return Rollout(
            self.backbone, plan, self.placeholder_id, seed, capture_layers, self.prompter.step_ends
        )

    def batch(self, examples: Sequence[Example], plan: LatentPlan | None = None) -> Batch:
        """Word and align the prompts of some examples, on the model's device.

        Args:
            examples: what to ask.
            plan: whose steps given picks have to reach; by default the reasoner's own.

        Raises:
            UserError: a plan with given picks finds no trace to take them from.
        """
        plan = self.plan if plan is None else plan
        return self.prompter.batch(examples, plan).to(self.backbone.device)

    @torch.no_grad()
    def answer(
        self,
        image: Picture | None,
        question: str,
        choices: Sequence[str] = (),
        max_new_tokens: int = 64,
        interventions: Sequence[Intervention | Hooked] = (),
    ) -> Answered:
        """Answer one question about one picture, capturing attention in every layer.

        Args:
            image: a picture, an array or the path of a file; None for a question without one.
            question: what to ask.
            choices: the options to choose from, if there are any.
            max_new_tokens: longest answer, written steps included.
            interventions: what to do to the latents, in order, and inside the model.

        Raises:
            UserError: the picture cannot be read, or the plan needs one and there is none.
        """
        example = Example("question", question, tuple(choices), "", open_picture(image))
        rollout = self.rollout(capture_layers=range(self.backbone.n_layers))
        started = time.perf_counter()
        with self._reasoned(rollout, [example], interventions) as state:
            answers = self.decode(rollout, state, [example], max_new_tokens, started)
        sight = None if example.image is None else sight_of(self.backbone, example.image)
        return Answered(answers[0], state, example, sight)

    @torch.no_grad()
    def run(
        self,
        examples: Sequence[Example],
        interventions: Sequence[Intervention | Hooked] = (),
        layers: Sequence[int] = (),
        seed: int = 0,
        max_new_tokens: int = 64,
    ) -> Run:
        """Ask some examples at once, all with pictures or none, and keep what happened.

        Answers have to follow the latent steps. A study of many arms is `latentlab.run_arms`.

        Args:
            examples: what to ask; they run as one batch.
            interventions: what to do to the latents, in order, and inside the model.
            layers: layers whose attention is kept, counted from 0.
            seed: seed of random picks and of what is drawn.
            max_new_tokens: longest answer.

        Raises:
            UserError: the plan or an intervention does not fit the model or the examples.
        """
        rollout = self.rollout(seed=seed, capture_layers=layers)
        with self._reasoned(rollout, examples, interventions) as state:
            answers = self.decode(rollout, state, examples, max_new_tokens, at_once=True)
        return Run(tuple(examples), state, tuple(answers))

    @torch.no_grad()
    def decode(
        self,
        rollout: Rollout,
        state: Trajectory,
        examples: Sequence[Example],
        max_new_tokens: int = 64,
        started: float | None = None,
        at_once: bool = False,
    ) -> list[Answer]:
        """Turn a state after the latent steps into answers; it stays as it was.

        Args:
            rollout: the engine that made the state.
            state: the latent steps' outcome.
            examples: the batch's examples.
            max_new_tokens: longest answer, written steps included.
            started: when work on the batch began (`time.perf_counter`), for the time per answer.
            at_once: whether the answer has to follow the latent steps: the marker is put there, so
                that a model cannot write out in words what its latents were to hold.

        Raises:
            UserError: the state of an example is not finite.
        """
        state.check_finite()
        started = time.perf_counter() if started is None else started
        prompter = self.prompter
        marker = prompter.marker_ids
        start, own = state.fork(), None
        if at_once:
            own = append_text(rollout, start, marker)[:, 0].argmax(-1).tolist()
        free = marker[0] if marker and not at_once else None
        written = state.written
        room = max(1, max_new_tokens - min(map(len, written)))
        text = greedy(rollout, start, prompter.eos_ids, free, room)
        outputs = text.outputs
        own = [output[0] for output in outputs] if own is None else own
        seconds = (time.perf_counter() - started) / len(examples)
        texts = [prompter.format.answer_texts(example.choices) for example in examples]
        options = [[prompter.answer_ids(text) for text in row] for row in texts]
        before = [([], []) if at_once else self._before_answer(output) for output in outputs]
        logprobs = option_logprobs(rollout, text, before, options)
        answers = []
        told = zip(texts, written, outputs, logprobs, own, state.steps_taken, strict=True)
        for row, steps, output, scores, first, taken in told:
            new = [*steps, *output][:max_new_tokens]
            output = new[len(steps) :]
            said = prompter.decode(output if at_once else self._after_marker(new))
            answers.append(
                Answer(
                    text=prompter.decode([*steps, *marker, *output] if at_once else new),
                    choice=parse_answer(said, row, prompter.format.answer_form),
                    option_logprobs=tuple(scores),
                    latent_steps=taken,
                    new_tokens=len(new),
                    seconds=seconds,
                    at_once=not marker or first == marker[0],
                )
            )
        return answers

    @contextmanager
    def _reasoned(
        self,
        rollout: Rollout,
        examples: Sequence[Example],
        interventions: Sequence[Intervention | Hooked],
    ) -> Iterator[Trajectory]:
        """Take the latent steps under interventions, which act as long as the context is open."""
        batch, own = self.batch(examples), None
        if interventions:  # some put back what was there
            own = Bank.of(batch.examples, [rollout(batch).latents])
        with applied(rollout, interventions):  # the prompt is read under them as well
            yield rollout.reason(rollout.prefill(batch), interventions, own)

    def _marker_at(self, output: Sequence[int]) -> int | None:
        """Where the last answer marker begins in a generated text."""
        marker = self.prompter.marker_ids
        starts = [
            i for i in range(len(output)) if marker and list(output[i : i + len(marker)]) == marker
        ]
        return starts[-1] if starts else None

    def _after_marker(self, output: Sequence[int]) -> Sequence[int]:
        at = self._marker_at(output)
        return output if at is None else output[at + len(self.prompter.marker_ids) :]

    def _before_answer(self, output: Sequence[int]) -> tuple[list[int], list[int]]:
        """Return generated text up to the answer, with the marker, and the kinds of its tokens.

        The answer stands after the last marker, but a text counts as answer from the first on: so
        it was written (`decoding.generate`), and what it could not see then it must not see now.
        """
        marker, at = self.prompter.marker_ids, self._marker_at(output)
        text = [*([] if at is None else output[:at]), *marker]
        return text, kinds_of(text, marker[0] if marker else None)
