"""How questions are worded, tokenized and aligned."""

from latentlab.prompts.format import LETTERS, PLAIN_TEMPLATE, PromptFormat
from latentlab.prompts.prompter import Continuation, Prompter

__all__ = ["LETTERS", "PLAIN_TEMPLATE", "Continuation", "PromptFormat", "Prompter"]
