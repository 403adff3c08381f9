"""CapImagine: imagination in words, the explicit alternative to latents.

Paper: "Imagination Helps Visual Reasoning, But Not Yet in Latent Space" (arXiv 2602.22766). Code:
Michael4933/CapImagine and AI9Stars/CapImagine, of which we know the README only; weights and data
are on the hub. What is told here of the paper comes from notes on it, not from its text.

Where text, code and ours differ: as published, a model is trained to write what an intermediate
picture would show in place of the latents of Monet, on the same data. Ours trains nothing: the
model is asked to imagine a helpful picture, to describe it behind "Imagined picture:", and to
answer in the same reply. A reply without that heading is a failure of format. The wording is ours;
we do not know theirs, nor how many pictures a reply of theirs imagines.
"""

from latentlab.methods.call import REASONING, Call, Method, Question, Talk

HEADING = "imagined picture"


def ask(question: Question) -> Talk:
    """One call, in which the picture is described before the answer."""
    turns = question.asked(question.example.image, question.words("capimagine"))
    reply = yield Call("imagination and answer", turns, REASONING + question.longest)
    return () if HEADING in reply.lower() else ("nothing imagined",)


METHOD = Method("capimagine", "CapImagine, arXiv 2602.22766", ask, ("capimagine",), pictures=1)
