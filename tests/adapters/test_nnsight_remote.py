"""What is sent to an nnsight server, and what it makes of it, as far as it goes without one."""

import subprocess
import sys

import pytest
import torch
from transformers import ProcessorMixin

from latentlab.adapters.nnsight import trace_rollouts
from latentlab.errors import UserError
from latentlab.prompts import Prompter
from latentlab.reasoner import Reasoner
from latentlab.reasoning.interventions import Replace
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.sources import Zero

ZEROS = [Replace("latent_text", Zero())]

SERVER = """
import sys

import torch
from nnsight import TransformersModel
from nnsight.schema.request import RequestModel
from nnsight.tracing.tracer import inc
from transformers import AutoConfig, AutoModelForImageTextToText, ProcessorMixin


class NoProcessor(ProcessorMixin):
    def __init__(self):
        pass


folder = sys.argv[1]
hf = AutoModelForImageTextToText.from_config(AutoConfig.from_pretrained(folder)).eval()
hf.load_state_dict(torch.load(folder + "/weights.pt"))
parts = torch.load(folder + "/parts.pt", weights_only=False)
model = TransformersModel(hf, task="image-text-to-text", processor=NoProcessor(), **parts)
with open(folder + "/request", "rb") as request:
    tracer = RequestModel.deserialize(request.read(), model._remoteable_persistent_objects())
inc()
with torch.no_grad():
    tracer.execute(tracer.info.code)
torch.save(tracer.info.frame.f_locals["hidden"], folder + "/answer.pt")
assert hf.config.get_text_config()._attn_implementation == "sdpa"
"""


class NoProcessor(ProcessorMixin):
    """In place of one that takes torchvision; prompts are made by the reasoner."""

    def __init__(self) -> None:
        pass


@pytest.fixture
def known(reasoner):
    """A reasoner, and its model as nnsight wraps those that servers know."""
    from nnsight import TransformersModel

    plan = LatentPlan(steps=2, k=2)
    asked = Reasoner(
        reasoner.backbone, plan, reasoner.prompter, reasoner.placeholder_id, reasoner.name
    )
    backbone = reasoner.backbone
    parts = {"tokenizer": reasoner.prompter.tokenizer}
    parts["image_processor"] = backbone.image_processor
    task = "image-text-to-text"
    return asked, TransformersModel(backbone.model, task=task, processor=NoProcessor(), **parts)


@pytest.fixture
def sent(monkeypatch):
    """Collects requests in place of sending them: what they ask for, and the packed trace."""
    from nnsight.intervention.backends.remote import RemoteBackend
    from nnsight.modeling.transformers import TransformersModel

    found = []

    def keep(backend, request, tracer):
        backend.compress = False
        found.append((request, backend._serialize(tracer)))
        return {}

    monkeypatch.setattr(TransformersModel, "to_model_key", lambda model: "a key")
    monkeypatch.setattr(RemoteBackend, "request", keep)
    return found


@torch.no_grad()
def test_a_request_that_is_packed_and_unpacked_gives_what_runs_here(known, examples):
    asked, model = known
    batch = asked.prompter.batch(examples, asked.plan)
    expected = asked.rollout()(batch, ZEROS)
    traced = trace_rollouts(asked, model)
    with traced.rollout(batch, interventions=ZEROS, remote="local") as tracer:
        hidden = tracer.result.hidden.save()
    assert torch.equal(hidden, expected.hidden)
    assert torch.equal(asked.rollout()(batch, ZEROS).hidden, expected.hidden)


@torch.no_grad()
def test_a_request_names_the_model_and_holds_none_of_its_weights(known, examples, sent):
    asked, model = known
    batch = asked.prompter.batch(examples, asked.plan)
    traced = trace_rollouts(asked, model)
    with traced.rollout(batch, remote="https://example.org") as tracer:
        for _step in tracer.iter[2]:
            traced.resid_post(1)[:, -1] = 0
        tracer.result.save()
    ((request, blob),) = sent
    assert request.model_key == "a key"
    assert request.env == {"attn_implementation": "sdpa"}
    for weight in asked.backbone.model.parameters():
        if weight.numel() > 64:
            assert weight.detach().numpy().tobytes()[:256] not in blob
    for pixels in batch.pixels.values():
        assert pixels.numpy().tobytes()[:64] in blob


@pytest.mark.slow
@torch.no_grad()
def test_a_process_that_has_the_weights_answers_for_one_that_has_none(
    known, examples, sent, tmp_path
):
    from nnsight import TransformersModel

    asked, wrapped = known
    parts = {"tokenizer": wrapped.tokenizer, "image_processor": wrapped.image_processor}
    torch.save(parts, tmp_path / "parts.pt")
    torch.save(asked.backbone.model.state_dict(), tmp_path / "weights.pt")
    asked.backbone.model.save_pretrained(tmp_path)
    task = "image-text-to-text"
    empty = TransformersModel(str(tmp_path), task=task, processor=NoProcessor(), **parts)
    assert empty._module.device.type == "meta"
    backbone = type(asked.backbone)(empty._module, asked.backbone.image_processor)
    prompter = Prompter(parts["tokenizer"], backbone, asked.prompter.format)
    without = Reasoner(backbone, asked.plan, prompter, asked.placeholder_id, asked.name)
    for traced, remote in (
        (trace_rollouts(without, empty), "https://example.org"),
        (trace_rollouts(asked), False),
    ):
        batch = traced.reasoner.prompter.batch(examples, asked.plan)
        with traced.rollout(batch, interventions=ZEROS, remote=remote) as tracer:
            for _step in tracer.iter[2]:
                traced.resid_post(1)[:, -1] = 0
            hidden = tracer.result.hidden.save()
    (tmp_path / "request").write_bytes(sent[0][1])
    subprocess.run([sys.executable, "-c", SERVER, str(tmp_path)], check=True)
    assert torch.equal(torch.load(tmp_path / "answer.pt"), hidden)


def test_a_model_that_was_wrapped_here_runs_here(known, examples):
    asked, _ = known
    batch = asked.prompter.batch(examples, asked.plan)
    with pytest.raises(UserError, match="wrapped here runs here"):
        trace_rollouts(asked).rollout(batch, remote=True)
