"""Numbers that the IVT-LR paper prints (arXiv 2510.12603, version 2), to be read beside ours.

They are of Qwen2-VL-7B on M3CoT and ScienceQA, accuracy in per cent. Tables give them a block of
their own (`Table.published`) and captions name them as published: neither the model nor the data
are those of this package.
"""

import pandas as pd

MAIN = pd.DataFrame(
    [
        ("No-CoT", "45.4", "64.4"),
        ("Multimodal-CoT", "42.5", "58.3"),
        ("CCoT", "44.1", "63.8"),
        ("ICoT", "46.0", "65.4"),
        ("SCAFFOLD", "44.9", "62.5"),
        ("Chain-of-Focus", "64.3", "91.2"),
        ("IVT-LR", "71.8 (10.0 steps, 0.65 s)", "94.6 (11.0 steps, 0.67 s)"),
    ],
    columns=["published method", "M3CoT %", "ScienceQA %"],
)
"""Table 1; of IVT-LR with autoregressive steps and time per answer."""

ARMS = pd.DataFrame(
    [
        ("full", "71.83", "94.1"),
        ("w/o latent text", "52.20", "84.7"),
        ("w/o latent vision", "46.64", "82.3"),
        ("w/o latent part", "58.02", "86.4"),
    ],
    columns=["published arm", "M3CoT %", "ScienceQA %"],
)
"""Table 2."""

STAGES = (
    "science 56.7, 61.7 and 70.9 %, commonsense 64.4, 70.1 and 79.8 %, mathematics 38.6, 43.6 and "
    "63.1 %, all of M3CoT 56.3, 61.5 and 71.8 %"
)
"""Table 3: accuracy after stages 1, 2 and 3."""
