"""How questions are worded, tokenized and aligned."""

from latentlab.prompts.format import LETTERS, PromptFormat
from latentlab.prompts.prompter import Continuation, Prompter
from latentlab.prompts.published import PROMPT_FORMATS, prompt_format
from latentlab.prompts.template import PLAIN_TEMPLATE

__all__ = [
    "LETTERS",
    "PLAIN_TEMPLATE",
    "PROMPT_FORMATS",
    "Continuation",
    "PromptFormat",
    "Prompter",
    "prompt_format",
]
