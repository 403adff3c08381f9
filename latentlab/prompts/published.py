"""Prompt formats by name: ours, and those that the IVT-LR release words its data in.

The release does not ask as it trained: for M3CoT, options change from `(A).{...}` to `A.{...}` and
the last line break goes; for ScienceQA, the picture moves out of the question's braces and a line
`Answer:` is added. So each is a format of its own, and a converted checkpoint says which one it is
asked in. Neither tells an example's context. Ours is one and the same for training and inference.

Where the picture stands within the training prompts of ScienceQA, the release writes its image
tokens without the two that enclose a picture elsewhere; ours are enclosed there as well.
"""

from dataclasses import replace

from latentlab.errors import UserError, did_you_mean
from latentlab.prompts.format import PromptFormat

_M3COT_TRAINING = PromptFormat(
    answer_marker="Therefore, the answer is",
    context_in_prompt=False,
    question_form="[Question]:{$question}",
    options_head="[Options]:",
    option_form="($letter).{$choice}",
    prompt_end="\nAnswer:\n",
)
_SCIENCEQA_INFERENCE = replace(_M3COT_TRAINING, answer_form="index", prompt_end="\nAnswer:")

PROMPT_FORMATS = {
    "own": PromptFormat(),
    "m3cot-training": _M3COT_TRAINING,
    "m3cot-inference": replace(
        _M3COT_TRAINING, option_form="$letter.{$choice}", prompt_end="\nAnswer:"
    ),
    "scienceqa-training": replace(
        _SCIENCEQA_INFERENCE, question_form="[Question]:{$image$question}", prompt_end=""
    ),
    "scienceqa-inference": _SCIENCEQA_INFERENCE,
}
"""Every named format."""


def prompt_format(name: str) -> PromptFormat:
    """The format that goes by a name.

    Raises:
        UserError: there is no such format.
    """
    if name not in PROMPT_FORMATS:
        hint = did_you_mean(name, PROMPT_FORMATS)
        raise UserError(f"no prompt format is called {name!r}; {hint}")
    return PROMPT_FORMATS[name]
