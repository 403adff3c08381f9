"""What the tiny models of all families share: words, a tokenizer, a way to be asked."""

from collections.abc import Sequence

from tokenizers import Regex, Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from latentlab.backbones import Backbone
from latentlab.prompts import Prompter, PromptFormat
from latentlab.reasoner import Reasoner
from latentlab.reasoning.plan import LatentPlan

BASICS = ("<pad>", "<eos>", "<unk>", "<latent>")
WORDS = ("Follow", "one", "two", "hop", "hops", "from", "the", "circle", "square", "red", "blue")
WORDS += ("A", "B", "C", "D", "Answer", "is", "What", "shown", "here", "Which", "shape", "of")
WORDS += (".", ":", ",", "?", "\n", "\n\n")


def word_tokenizer(specials: Sequence[str], template: str) -> PreTrainedTokenizerFast:
    """One token a word; `specials` are the family's own, which its chat template writes."""
    words = dict.fromkeys([*BASICS, *specials, *WORDS])
    tokenizer = Tokenizer(
        models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="<unk>")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Split(
        Regex(r"\w+|\n+|[^\w\s]+"), behavior="removed", invert=True
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="<eos>",
        unk_token="<unk>",
        additional_special_tokens=["<latent>", *specials],
    )
    fast.chat_template = template
    return fast


def picture_first(picture: str) -> str:
    """A chat template that writes something for the picture, then the question."""
    return (
        "{% for message in messages %}{% for part in message['content'] %}"
        f"{{{{ '{picture}' if part['type'] == 'image' else part['text'] }}}}"
        "{% endfor %}{% endfor %}"
    )


def reasoner_of(backbone: Backbone, tokenizer: PreTrainedTokenizerFast) -> Reasoner:
    """A reasoner of two latent steps that answers by letter."""
    placeholder = int(tokenizer.convert_tokens_to_ids("<latent>"))
    prompter = Prompter(tokenizer, backbone, PromptFormat())
    name = backbone.model_types[0]
    return Reasoner(backbone, LatentPlan(steps=2, k=2), prompter, placeholder, name)
