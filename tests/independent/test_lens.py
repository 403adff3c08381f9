"""Logit lens and direct logit attribution by hand."""

from functools import lru_cache

import numpy as np
import pytest
import torch


@pytest.fixture(scope="session")
def read(rows_of):
    """Rows of one model."""
    return lru_cache(lambda name: rows_of("lens", name))


@pytest.fixture(scope="session")
def marked(plain, untouched):
    """Rollouts with the answer marker, and their states."""

    @lru_cache
    def runs(name):
        model = plain(name)
        whole = [model.say(run, model.prompter.marker_ids) for run in untouched(name)]
        return [(run, model.forward(run)) for run in whole]

    return runs


def first_tokens(model, text):
    """Tokens that a text begins with, at the start of a line and after other text."""
    tokenizer = model.prompter.tokenizer
    spelled = [tokenizer(t, add_special_tokens=False)["input_ids"] for t in (text, " " + text)]
    return sorted({ids[0] for ids in spelled})


def test_the_logit_lens_is_final_norm_and_unembedding(read, plain, asked, marked, nats):
    """Ranks may differ where two logits are closer than rounding: by no more than such ties."""
    model = plain("ivtlr")
    rows = read("ivtlr")
    rows = rows[rows["measure"] == "logit lens"].set_index(["example", "step", "layer", "target"])
    for example, (run, states) in zip(asked(), marked("ivtlr"), strict=True):
        objects = [example.trace.objects[cell] for cell in example.trace.cells[:5]]
        targets = {f"hop {hop}": objects[hop] for hop in range(1, 5)} | {"answer": example.answer}
        for clock in range(5):
            place = run.at(clock, -1)
            for layer, stream in enumerate(states.resid[1:]):
                x = stream[place]
                scale = (x.square().mean() + model.config.rms_norm_eps).sqrt()
                logp = (model.head.weight @ (model.norm.weight * x / scale)).log_softmax(0)
                for target, name in targets.items():
                    told = rows.loc[(example.id, clock, layer, target)]
                    ids = first_tokens(model, name)
                    best = logp[ids].max()
                    assert told["logprob"] == pytest.approx(float(logp[ids].logsumexp(0)), abs=nats)
                    sure, possible = ((logp > best + d).sum() + 1 for d in (nats, -nats))
                    assert sure <= told["rank"] <= possible
                entropy = float(-(logp.exp() * logp).sum())
                assert told["entropy"] == pytest.approx(entropy, abs=nats)


def test_a_latent_as_it_is_fed_in_and_the_token_nearest_to_it(read, plain, asked, marked, nats):
    model, rows = plain("ivtlr"), read("ivtlr")
    rows = rows[rows["target"] == "answer"].set_index(["example", "step", "measure"])
    table = torch.nn.functional.normalize(model.decoder.embed_tokens.weight, dim=-1)
    for example, (run, _) in zip(asked(), marked("ivtlr"), strict=True):
        ids = first_tokens(model, example.answer)
        for step, latent in enumerate(run.latents, start=1):
            logp = (model.head.weight @ latent.text).log_softmax(0)
            told = rows.loc[(example.id, step, "as fed in")]
            assert told["logprob"] == pytest.approx(float(logp[ids].logsumexp(0)), abs=nats)
            cosines = table @ torch.nn.functional.normalize(latent.text, dim=0)
            nearest = model.prompter.tokenizer.decode([int(cosines.argmax())])
            assert rows.loc[(example.id, step, "nearest token")]["top"] == nearest


def parts_of(model, run, states):
    """(hidden,) what every part adds to the stream at the last position; attention by source."""
    found = {("embed", -1, "", -1): run.embeds[-1]}
    for layer, block in enumerate(model.decoder.layers):
        weights = states.weights[layer][:, -1]
        by_head = weights[:, :, None] * states.values[layer]
        dim = by_head.shape[-1]
        for i, (kind, clock) in enumerate(zip(run.kinds, run.clocks, strict=True)):
            step = clock if kind.startswith("latent") else -1
            projections = block.self_attn.o_proj.weight.split(dim, dim=1)
            given = sum(o @ v for o, v in zip(projections, by_head[:, i], strict=True))
            key = ("attn_out", layer, kind, step)
            found[key] = found.get(key, 0) + given
        found["mlp_out", layer, "", -1] = states.mlp_out[layer][-1]
    return found


def test_attribution_takes_the_answers_logit_apart(read, plain, asked, marked, nats):
    """With the final norm's scale held fixed every part has its share, and they sum to the lead."""
    model, rows = plain("ivtlr"), read("ivtlr")
    rows = rows[(rows["measure"] == "attribution") & (rows["target"] == "answer")]
    for example, (run, states) in zip(asked(), marked("ivtlr"), strict=True):
        told = rows[rows["example"] == example.id]
        told = {
            (r.component, -1 if np.isnan(r.layer) else r.layer, r.source, r.step): r.logit
            for r in told.assign(
                layer=told["layer"].astype(float),
                source=told["source"].fillna(""),
                step=told["step"].fillna(-1).astype(int),
            ).itertuples()
        }
        stream = states.resid[-1][-1]
        scale = model.norm.weight / (stream.square().mean() + model.config.rms_norm_eps).sqrt()
        first = [model.option_ids(choice)[0] for choice in example.choices]
        gold = first[example.choices.index(example.answer)]
        others = [token for token in first if token != gold]
        heads = model.head.weight
        direction = scale * (heads[gold] - heads[others].mean(0))
        parts = parts_of(model, run, states)
        total = told.pop(("total", -1, "", -1))
        assert set(told) == set(parts)
        for key, vector in parts.items():
            assert told[key] == pytest.approx(float(direction @ vector), abs=nats), key
        logits = states.logits[-1]
        assert total == pytest.approx(float(logits[gold] - logits[others].mean()), abs=nats)
        assert sum(told.values()) == pytest.approx(total, abs=10 * nats)
