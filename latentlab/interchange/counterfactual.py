"""The question itself on an edited picture as a donor: does the answer follow one mark of a patch?

The mark that a hop reads is linked elsewhere, so that the answer becomes another option. Prompt,
picture and question stay the recipient's, its latents are put back as they were, and of these one
part at some steps is what the edited picture makes of it, at the recipient's own picks. If latents
are read, the answer has to follow; what sizes, picks and shams do is in the same rows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import pandas as pd
import torch

from latentlab.data import Benchmark, Examples
from latentlab.data.counterfactual import relink_other
from latentlab.data.perturb import example_stream
from latentlab.data.scene import CELLS
from latentlab.errors import UserError
from latentlab.interchange.changes import Change, ChangedPatches, EditedRuns
from latentlab.interchange.config import InterchangeConfig
from latentlab.interchange.edits import DONOR, Edit, edits_of, hops_of
from latentlab.interchange.exchanges import Swap, ask
from latentlab.measures.outcomes import NONE
from latentlab.reasoner import Reasoner
from latentlab.reasoning.interventions import Intervention, Replace
from latentlab.reasoning.sources import Given
from latentlab.study.arms import Arm
from latentlab.study.asked import load_for
from latentlab.study.recorded import cycled, record_runs
from latentlab.vocabulary import CONTROL, INTERCHANGE, ShamName, StepContext

TYPES = {"hop": "Int64", "needed_cell_picked": "boolean"}
"""Columns that are missing in rows of other donors."""

SHAMS: tuple[ShamName, ...] = get_args(ShamName)


@dataclass(frozen=True, eq=False)
class Exchange:
    """One exchange of one change."""

    swap: Swap
    """Which part, at which steps."""

    change: Change
    """What is put in."""

    patches: ChangedPatches | None
    """Which patches come from the edited picture; None where none is exchanged."""

    sham: ShamName | None = None
    """Which sham it is, if it is one."""

    @property
    def name(self) -> str:
        """The arm as tables name it."""
        return self.arm("remade").name

    def arm(self, context: StepContext) -> Arm:
        """The arm; all other latents are put back as they were, or made anew."""
        swap, of = self.swap, {"needed": "", "every": " (every patch)", None: ""}[self.patches]
        put = Replace(swap.part, Given(self.change.bank), swap.steps)
        held: tuple[Intervention, ...] = ()
        if context == "frozen":
            held = (Replace("latent", Given()),)
        return Arm(
            "interchange",
            swap.part,
            swap.steps,
            DONOR,
            control=self.sham or "",
            label=f"{DONOR} {swap.part} at {swap.at}{of}",
            kind=CONTROL if self.sham else INTERCHANGE,
            interventions=(*held, put),
            context=context,
        )


def rows_of(
    config: InterchangeConfig, reasoner: Reasoner, examples: Examples, swaps: Sequence[Swap]
) -> Iterator[pd.DataFrame]:
    """Run every exchange of every hop on one model.

    Yields:
        Rows as of the other donors, one frame for each hop asked for, before
        `interchange.summary.with_interchange`.

    Raises:
        UserError: a model writes its steps in words, or has other patches than cells.
    """
    for hop in hops_of(config):
        edits = edits_of(config, examples, hop)
        if len(edits) > 1:
            yield _rows(config, reasoner, edits, swaps)


def exchanges_of(runs: EditedRuns, swaps: Sequence[Swap]) -> list[Exchange]:
    """Every exchange with its shams, those of one swap together."""
    real = {name: runs.real(name) for name in get_args(ChangedPatches)}
    shams = {name: runs.sham(name) for name in SHAMS}
    seen = runs.own.bank.vision is not None
    made: list[Exchange] = []
    for swap in swaps:
        vision = seen and swap.part != "latent_text"
        made.append(Exchange(swap, real["needed"], "needed" if vision else None))
        if vision:
            made.append(Exchange(swap, real["every"], "every"))
        which: ChangedPatches | None = "needed" if vision else None
        made += [Exchange(swap, shams[name], which, name) for name in SHAMS]
    return made


def runs_of(config: InterchangeConfig, reasoner: Reasoner, edits: Sequence[Edit]) -> EditedRuns:
    """Run each question on its picture, and on the two edits of it."""
    size, seed = config.batch_size, config.seed
    own = record_runs(reasoner, [edit.example for edit in edits], size, seed)
    if own.patches is None or own.patches.shape[1] != CELLS:
        raise UserError(
            f"--donor {DONOR}: {reasoner.name} makes other patches than the {CELLS} cells of a "
            "picture, so that no patch holds one mark"
        )
    benchmark = load_for(config)
    assert isinstance(benchmark, Benchmark)
    off, cells = [], []
    for i, edit in enumerate(edits):
        picks = own.picks[i].tolist() if own.picks is not None else []
        beside = [cell for step in picks if edit.needed in step for cell in step]
        stream = example_stream(edit.example, seed, "relink off the walk")
        changed = relink_other(edit.example, beside, edit.named, benchmark, stream)
        changed = changed or relink_other(edit.example, range(CELLS), edit.named, benchmark, stream)
        assert changed is not None  # no walk meets all cells
        off.append(changed[0])
        cells.append(changed[1])
    device = own.patches.device
    return EditedRuns(
        own,
        record_runs(reasoner, [edit.donor for edit in edits], size, seed),
        record_runs(reasoner, off, size, seed),
        torch.tensor([edit.needed for edit in edits], device=device),
        torch.tensor(cells, device=device),
        torch.tensor(cycled([edit.example for edit in edits], seed), device=device),
        seed,
    )


def _rows(
    config: InterchangeConfig, reasoner: Reasoner, edits: Sequence[Edit], swaps: Sequence[Swap]
) -> pd.DataFrame:
    """The rows of one hop."""
    runs = runs_of(config, reasoner, edits)
    exchanges = exchanges_of(runs, swaps)
    arms = [exchange.arm(config.context) for exchange in exchanges]
    rows = ask(config, reasoner, [edit.example for edit in edits], Arm(), *arms)
    donors = ask(config, reasoner, [edit.donor for edit in edits], Arm())
    facts = pd.DataFrame([pair_of(edit) for edit in edits])
    facts = facts.assign(donor_correct=donors["correct"])
    picked = runs.needed_picked
    about = [pd.DataFrame({"example": facts["example"], "intervention": NONE})]
    for exchange in exchanges:
        steps = exchange.swap.steps
        columns: dict[str, Any] = {
            "intervention": exchange.name,
            "expected_answer": facts["donor_answer"],
            "step_set": exchange.swap.step_set,
            "patches": exchange.patches or "",
            "sham": exchange.sham or "",
            "change_norm": exchange.change.norm(exchange.swap.part, steps).cpu().numpy(),
        }
        at = [step - 1 for step in steps]
        columns["needed_cell_picked"] = (
            None if picked is None else picked[:, at].any(1).cpu().numpy()
        )
        kept = exchange.change.defined.cpu().numpy() | (exchange.patches is None)
        about.append(facts[["example"]].assign(**columns)[kept])
    named = pd.concat(about, ignore_index=True)
    texts = ["step_set", "patches", "sham"]
    named[texts] = named[texts].fillna("")
    # What is not defined for a question has been run, so that all batches are alike, and is left.
    found = rows.merge(named, on=["example", "intervention"], validate="one_to_one")
    found = found.merge(facts, on="example", validate="many_to_one")
    return found.astype({"expected_answer": "str", "donor_shown": "boolean", **TYPES})


def pair_of(edit: Edit) -> dict[str, object]:
    """What all rows of a question say of it and its edit."""
    return {
        "example": edit.example.id,
        "donor": DONOR,
        "donor_example": f"{edit.example.id} with hop {edit.hop} elsewhere",
        "donor_uses": 1,
        "donor_shown": True,
        "hop": edit.hop,
        "choices": list(edit.example.choices),
        "own_answer": edit.example.answer,
        "donor_answer": edit.donor.answer,
    }
