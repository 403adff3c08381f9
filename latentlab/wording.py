"""The plain words for what flags, columns and files call by short names.

Sentences and tables on the screen take them from here and from nowhere else, so that one thing has
one name. Names of models are the user's own and stay as they are.
"""

from collections.abc import Iterable

from latentlab.vocabulary import EMPTY, POSITION_ARMS
from latentlab.vocabulary import PARTS as _PARTS

PARTS: dict[str, str] = {**_PARTS, "rationale": "rationale"}
"""Parts of what a model thinks."""

PERTURBATIONS = {
    "none": "no change",
    "other_image": "another question's picture",
    "blank": "a blank picture",
    "noise": "noise on the picture",
    "shuffle": "a shuffled picture",
    "mask_needed": "blanking a needed cell",
    "mask_other": "blanking another cell",
    "relink": "a hop led elsewhere",
    "restart": "another start",
    "shuffle_words": "shuffled words",
}
"""What is changed of a question, as a subject."""

POSITIONS = {
    "held": "with positions held",
    "closed": "with positions closed up",
    "kept": "with the slots kept empty",
}
"""What becomes of positions where something is left out."""

SOURCES = {
    "zero": "with zeros for its {}",
    "mean": "with the mean over other questions for its {}",
    "constant": "with one and the same vector for its {}",
    "noise": "with noise of {strength:g} SD on its {}",
    "norm-kept noise": "with norm-preserving noise of {strength:g} SD on its {}",
    "matched_noise": "with noise of the same mean and SD for its {}",
    "unit_noise": "with standard normal noise for its {}",
    "norm_matched": "with random vectors of the same norm for its {}",
    "other": "with another question's {}",
    "other_any": "with the {} of a question of any domain",
    "off_walk": "with patches off the walk for its {}",
    "permute": "with the steps of its {} in a random order",
    "reverse": "with the steps of its {} reversed",
    "first": "with the first step of its {} repeated",
    "placeholder": "with empty slots for its {}",
}
"""What a replacement does to a part."""

RULES = {
    "attention": "attended most",
    "random": "picked at random",
    "bottom": "attended least",
    "all": "of the whole picture",
    "given": "that the trace names",
    "none": "left out",
}
"""Which patches a rule picks."""

CONTROLS = {
    EMPTY: "leaving the same slots empty",
    POSITION_ARMS["closed"]: "closing up positions",
    POSITION_ARMS["held"]: "holding positions",
    "on uninformative words": "doing the same to as many uninformative words",
    "on off-walk image positions": "doing the same to as many image positions off the walk",
    "on unneeded prompt positions": "doing the same to as many positions that are not needed",
    "on any prompt positions": "doing the same to any prompt positions (a weaker control)",
    "the difference empty": "leaving the steps of difference empty",
    "as many at random": "picking as many at random",
}
"""What controls, and arms that differ in positions only, do; a subject, or what follows "when"."""

CONTROL_LABELS = {
    "on uninformative words": "uninformative words",
    "on off-walk image positions": "image off the walk",
    "on unneeded prompt positions": "unneeded positions",
    "on any prompt positions": "any prompt positions",
    "the difference empty": "those steps empty",
    "as many at random": "as many at random",
}
"""Controls as tables call them, below the arm that they belong to."""

DONORS = {
    "same_image": "same picture, another start",
    "unrelated": "unrelated question",
    "same_answer": "same answer",
    "self": "its own (sham)",
    "counterfactual": "same question, one mark changed",
}
"""Whose latents an interchange puts in."""

SEEN = {
    "latent": "its latents",
    "latent_text": "its latent text",
    "latent_vision": "its latent vision",
    "image": "the image",
    "prompt": "the question",
    "earlier": "earlier steps",
}
"""What attention can be kept from seeing."""

SEEING = {"answer": "the answer", "latent": "its latent steps"}
"""Who is kept from seeing it."""

COMPONENTS = {
    "resid_post": "residual stream",
    "attn_out": "attention output",
    "mlp_out": "MLP output",
    "z": "attention heads",
}
"""Components of a layer."""

MODES = {
    "latent": "in latent steps",
    "plain": "without latent steps",
    "explicit": "in written steps",
}
"""How a model is run while its attention is read."""

PLACES = {
    "latent_text": "latent text",
    "latent_vision": "re-inserted patches",
    "latent": "latents",
    "prompt": "end of the prompt",
    "answer": "answer marker",
    "words": "written words",
    "placeholder": "empty slots",
    "patches": "patches at random",
}
"""Where a model is read."""

_DATA = {"benchmark": "the benchmark", "m3cot": "M3CoT", "scienceqa": "ScienceQA"}
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def part_name(part: str) -> str:
    """A part as sentences call it; what is no part keeps its name."""
    return PARTS.get(part, part.replace("_", " "))


def perturbation_name(name: str) -> str:
    """A change of a question with its strength, as in "noise on the picture (0.5)"."""
    kind, _, strength = name.partition(" ")
    words = PERTURBATIONS.get(kind, kind.replace("_", " "))
    return f"{words} ({strength})" if strength else words


def data_name(data: str) -> str:
    """Data as sentences call them: `benchmark:hops=1` is "the benchmark, one hop"."""
    name, _, options = data.partition(":")
    if name not in _DATA:
        return data
    return ", ".join([_DATA[name], *(_option(one) for one in options.split(",") if one)])


def _option(option: str) -> str:
    """A setting of a data set in words."""
    name, _, value = option.partition("=")
    values = value.replace("+", " and ")
    if name == "hops":
        counts = [number_word(int(n)) if n.isdigit() else n for n in value.split("+")]
        return f"{joined(counts, 'or')} hop{'' if counts == ['one'] else 's'}"
    return values if name in ("domain", "subject") else f"{name} {values}"


def place_name(place: str) -> str:
    """A place where a model is read; the number of one of several stays: `latent_vision 2`."""
    name, _, rest = place.partition(" ")
    return f"{PLACES.get(name, name.replace('_', ' '))}{f' {rest}' if rest else ''}"


def number_word(number: int) -> str:
    """A small number as a word."""
    return _NUMBERS[number] if 0 <= number < len(_NUMBERS) else str(number)


def joined(words: Iterable[str], last: str = "and") -> str:
    """Words in a row, with `last` before the last of them; of none nothing."""
    *first, end = [*words] or [""]
    return f"{', '.join(first)} {last} {end}" if first else end


def sentence(*clauses: str) -> str:
    """Clauses as one sentence; empty ones are left out."""
    text = "; ".join(filter(None, clauses))
    return f"{text[0].upper()}{text[1:]}." if text else ""


def paragraph(model: str, *sentences: str) -> str:
    """What is said of one model."""
    return f"{model}: {' '.join(filter(None, sentences))}"
