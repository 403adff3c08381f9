r"""ICoT: between written lines, the patches that are attended to most are shown again.

Paper: Gao et al., "Interleaved-Modal Chain-of-Thought" (arXiv 2411.19488). Code: jungao1106/ICoT.

Where text, code and ours differ: at the signal, a line break, the patches with the highest
attention of the newest position (mean over layers and heads) are put back into the order of the
picture and appended, 16 of them, as for Qwen2-VL; the paper takes 64 for Chameleon, ours 16 there
too. As the code for Qwen2-VL ours acts at every second line break and at most three times, and a
patch may come again. It runs on the engine's written steps, so: patches are input embeddings as in
the code, but no vision markers are put around them, and their positions go on in one line (the code
makes a grid of 4 x 4 for M-RoPE); a token with several line breaks is one signal, where the code
knows the token "\n" alone; a line of more than a quarter of the reply's tokens ends as well; after
the first token of the answer marker no more patches come. The code gives one demonstration with
pictures cropped by hand; ours gives none.
"""

import re

from latentlab.methods.call import REASONING, Call, Method, Question, Talk

PATCHES, TIMES, NEWLINES = 16, 3, 2
"""Patches at a signal, signals at most, and line breaks of one."""


def ask(question: Question) -> Talk:
    """One call, into which patches come."""
    plan = question.bare.replace(
        steps=TIMES,
        k=PATCHES,
        content="words",
        part_order="text_vision",
        pick_order="spatial",
        reuse=True,
    )
    turns = question.asked(question.example.image, question.words("icot"))
    longest = REASONING + question.longest
    reply = yield Call("reasoning and answer", turns, longest, plan, NEWLINES)
    before, found, _ = reply.rpartition(question.marker)
    breaks = len(re.findall(r"\n+", before if found else reply))
    return () if breaks >= NEWLINES else ("no newline",)


METHOD = Method("icot", "ICoT, arXiv 2411.19488", ask, ("icot",), pictures=1)
