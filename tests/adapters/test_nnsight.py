"""A trace over a whole rollout reads and edits chosen steps, and leaves the model as it was."""

import subprocess
import sys

import pytest
import torch

from latentlab.adapters.nnsight import Traced, trace_rollouts
from latentlab.reasoning.activations import Site, record
from latentlab.reasoning.decode import append_text
from latentlab.reasoning.interventions import Replace
from latentlab.reasoning.sources import Zero


@pytest.fixture(scope="module")
def traced(planned) -> Traced:
    return trace_rollouts(planned)


@torch.no_grad()
def test_each_pass_of_a_rollout_can_be_read(planned, traced, batch):
    rollout = planned.rollout()
    with record(rollout) as kept:
        plain = rollout(batch)
    with traced.rollout(batch) as tracer:
        streams = []
        for _step in tracer.iter[0:3]:
            streams.append(traced.resid_post(1)[:, -1].clone())
        streams.save()
        state = tracer.result.save()
    assert torch.equal(state.hidden, plain.hidden)
    assert len(streams) == 3
    for pass_index, stream in enumerate(streams):
        assert torch.equal(stream, kept[Site(pass_index, 1)])


@torch.no_grad()
def test_a_trace_takes_interventions_and_text(planned, traced, batch):
    zeros, marker = [Replace("latent_text", Zero())], planned.prompter.marker_ids
    rollout = planned.rollout()
    expected = rollout(batch, zeros)
    append_text(rollout, expected, marker)
    with traced.rollout(batch, interventions=zeros, text=marker) as tracer:
        state = tracer.result.save()
    assert torch.equal(state.hidden, expected.hidden)
    assert torch.equal(state.kinds, expected.kinds)


@torch.no_grad()
def test_the_wrapped_model_stays_as_it_was(planned, batch):
    keys = list(planned.backbone.model.state_dict())
    before = planned.rollout()(batch).hidden
    traced = trace_rollouts(planned)
    with traced.rollout(batch) as tracer:
        for _step in tracer.iter[1]:
            traced.resid_post(0)[:, -1] = 0
        tracer.result.save()
    assert list(planned.backbone.model.state_dict()) == keys
    assert torch.equal(planned.rollout()(batch).hidden, before)


def test_neither_tool_is_imported_before_it_is_asked_for():
    script = (
        "import sys\n"
        "import latentlab.adapters.nnsight, latentlab.adapters.transformer_lens\n"
        "assert not {'nnsight', 'transformer_lens'} & set(sys.modules)\n"
        "assert not hasattr(3, 'save')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
