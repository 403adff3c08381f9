"""nnsight on a latent rollout: a trace over all its passes, with edits at chosen steps.

    traced = trace_rollouts(reasoner)
    with torch.no_grad(), traced.rollout(batch) as tracer:
        for step in tracer.iter[2]:  # the pass of latent step 2
            traced.resid_post(1)[:, -1] = vector
        state = tracer.result.save()

`tracer.iter` counts how often a module was called, and a rollout calls each decoder layer once for
the prompt, once for each latent step and once for the text after them: its index is the rollout's
`pass_index`, as long as every step appends something. The model is wrapped and not copied: outside
a trace it runs as ever, and the keys of its state stay as they are.

Importing nnsight gives *every* Python object a method `save` and replaces `Tensor.backward`, which
is why it is imported when the first model is wrapped and not before. Its pitfalls: the body of the
`with` has to stand on lines of its own in a file; only what is saved outlives it; within a pass,
modules have to be read in the order in which they run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jaxtyping import Float
from torch import Tensor, nn
from transformers import AttentionInterface

from latentlab.backbones import Batch
from latentlab.backbones.attention import ATTENTION_NAME, attention
from latentlab.errors import UserError
from latentlab.reasoner import Reasoner
from latentlab.reasoning.decode import append_text
from latentlab.reasoning.interventions import Intervention
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.trajectory import Trajectory

if TYPE_CHECKING:
    from nnsight import NNsight
    from nnsight.intervention.tracer import InterleavingTracer


@dataclass(frozen=True, eq=False)
class Traced:
    """A reasoner whose model nnsight has wrapped."""

    model: "NNsight"
    """The wrapped model: nnsight's tree of the Hugging Face modules."""

    layers: Any
    """The decoder's layers in that tree, for `.self_attn`, `.mlp` and so on."""

    reasoner: Reasoner
    """The reasoner as it was given."""

    def resid_post(self, layer: int) -> Float[Tensor, "batch queries hidden"]:
        """The residual stream after a layer, in the running pass: to be read, or written in place.

        Only inside a trace. Layers of some families give it in a tuple, which is opened here.
        """
        output = self.layers[layer].output
        stream: Tensor = output[0] if isinstance(output, tuple) else output
        return stream

    def rollout(
        self,
        batch: Batch,
        plan: LatentPlan | None = None,
        seed: int = 0,
        interventions: Sequence[Intervention] = (),
        text: Sequence[int] = (),
        remote: bool | str = False,
    ) -> "InterleavingTracer":
        """Open a trace over one rollout; a context manager.

        Args:
            batch: the prompts.
            plan: another plan than the reasoner's own.
            seed: seed of random picks.
            interventions: what to do to each step's latent, beside the edits of the trace.
            text: token ids to put after the latent steps, such as the answer marker.
            remote: whether the rollout runs on a server: True for that of nnsight's settings, or
                the address of one; "local" packs and unpacks the request and runs it here.

        Returns:
            The tracer; its `result` is the state at the end (`Trajectory`).

        Raises:
            UserError: it is to run elsewhere, and the model was wrapped here.
        """
        if remote and not hasattr(self.model, "to_model_key"):
            raise UserError(
                "a model that was wrapped here runs here: give trace_rollouts the "
                "nnsight.TransformersModel that the server knows"
            )
        reasoner, backbone = self.reasoner, self.reasoner.backbone
        own = backbone.text_config._attn_implementation

        def run(**_: Tensor) -> Trajectory:
            # A server's model was never wrapped by us, and others find it there as it was.
            before = backbone.text_config._attn_implementation
            AttentionInterface.register(ATTENTION_NAME, attention)
            backbone._set_attention(own)
            engine = reasoner.rollout(plan, seed)  # made where the weights are
            try:
                state = engine(batch.to(backbone.device), interventions)
                append_text(engine, state, text)
            finally:
                backbone._set_attention(before)
            return state

        # nnsight counts rows by the ids; the engine takes the whole batch.
        if not remote:
            return self.model.trace(fn=run, input_ids=batch.input_ids)
        backbone._set_attention("sdpa")  # what the model has now is asked of the server's
        try:
            return self.model.trace(fn=run, input_ids=batch.input_ids, remote=remote)
        finally:
            backbone._set_attention(own)


def trace_rollouts(reasoner: Reasoner, model: "NNsight | None" = None) -> Traced:
    """Wrap a reasoner's model, itself and not a copy, for tracing with nnsight.

    Args:
        reasoner: the reasoner.
        model: what nnsight has wrapped the model in already, such as a `TransformersModel`, which
            servers know by its name; by default the model is wrapped here.
    """
    from nnsight import NNsight

    model = NNsight(reasoner.backbone.model) if model is None else model
    layers: Any = model
    for part in _path_of_layers(reasoner):
        layers = getattr(layers, part)
    return Traced(model, layers, reasoner)


def _path_of_layers(reasoner: Reasoner) -> list[str]:
    """Names that lead from the model to its decoder's layers."""
    backbone = reasoner.backbone
    modules: dict[nn.Module, str] = {m: name for name, m in backbone.model.named_modules()}
    return modules[backbone.layers].split(".")
