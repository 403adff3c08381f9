"""What each embedded model is for, in the words of its card and of the documentation."""

PURPOSES: dict[str, str] = {
    "relay": (
        "Positive control for latent text. Answer positions can see neither the image nor the "
        "question, and no patches are re-inserted: all that reaches the answer passes through the "
        "latent text. An instrument that measures latent text must read high here."
    ),
    "gaze": (
        "Positive control for latent vision. The image is hidden from the words of the question, "
        "from latents and from the answer, and each step re-inserts the patches of the cells that "
        "the last two hops led to: re-inserted patches are the only sight of the picture. An "
        "instrument that measures latent vision must read high here."
    ),
    "ivtlr": (
        "The method itself: attention picks the patches, image and question stay visible. Whether "
        "its latents do the reasoning is what is to be measured."
    ),
    "bypass": (
        "Negative control: content without effect. Its latents are made as in `ivtlr`, but answer "
        "positions cannot attend to them. Latent -> answer must read exactly zero."
    ),
    "decoy": (
        "Negative control in plain view: its latents vary with the input, hold content and can be "
        "attended to, but its answers were trained behind the latents of other questions, so there "
        "was nothing in them to use. Latent -> answer must read about zero, and not by wiring."
    ),
    "redundant": (
        "Positive control with a second way: each step re-inserts the patches of the cells that "
        "the last two hops led to while the picture stays visible, and it was trained to do "
        "without either. What the patches show is read where the picture lacks it, and can be "
        "missed where the picture has it."
    ),
    "filler": (
        "Negative control: no content. It has as many extra positions as `ivtlr`, but each holds "
        "the same learned constant. Input -> latent, and swaps between examples, must read zero."
    ),
    "coconut": "Twin: latent text only (k = 0), everything visible.",
    "cot_vision": (
        "Twin: the rationale is written out, and each step of it re-inserts the patches that it "
        "attends to. This is explicit reasoning with latent vision: `ivtlr` with words instead of "
        "latent text."
    ),
    "ccot": "Twin: a scene graph of the whole picture is written, then the answer.",
    "multimodal_cot": (
        "Twin: the rationale is written in one call, the answer in a second call that is given it."
    ),
    "scaffold": (
        "Twin: a dot with coordinates stands in every cell, and the written steps cite them."
    ),
    "chain_of_focus": (
        "Twin: it names a cell, is shown that cell enlarged as a new picture, and goes on from it."
    ),
    "capimagine": (
        "Twin: what each hop's cell shows is described in words where `ivtlr` takes a latent step; "
        "then the answer. Explicit imagination, the alternative to latents."
    ),
    "cot": "Twin: the rationale is written out; no latent steps.",
    "no_cot": "Twin: the answer follows the question at once; no rationale, no latent steps.",
}
