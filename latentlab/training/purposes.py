"""What each embedded model is for, in the words of its card and of the documentation."""

PURPOSES: dict[str, str] = {
    "relay": (
        "Positive control for latent text. Answer positions can see neither the image nor the "
        "question, and no patches are re-inserted: all that reaches the answer passes through the "
        "latent text. An instrument that measures latent text must read high here."
    ),
    "gaze": (
        "Positive control for latent vision. The image is hidden from latent and answer positions, "
        "and each step re-inserts the patch of the hop's true cell: re-inserted patches are the "
        "only way to see after the question. An instrument that measures latent vision must read "
        "high here."
    ),
    "ivtlr": (
        "The method itself: attention picks the patches, image and question stay visible. Whether "
        "its latents do the reasoning is what is to be measured."
    ),
    "bypass": (
        "Negative control: content without effect. Its latents are made as in `ivtlr`, but answer "
        "positions cannot attend to them. Latent -> answer must read exactly zero."
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
    "cot": "Twin: the rationale is written out; no latent steps.",
    "no_cot": "Twin: the answer follows the question at once; no rationale, no latent steps.",
}
