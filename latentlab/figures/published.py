"""Numbers that the IVT-LR paper prints (arXiv 2510.12603, version 2), to be read beside ours.

They are of Qwen2-VL-7B on M3CoT and ScienceQA, accuracy in per cent. Tables give them a block of
their own (`Table.published`) and captions name them as published: neither the model nor the data
are those of this package. `cite` holds keys of `experiments/published.bib`: of the method; all
numbers are those that IVT-LR prints of it.
"""

import pandas as pd

from latentlab.console import MISSING

IVTLR = "ivtlr"
"""Key of the paper itself."""

MAIN = pd.DataFrame(
    [
        ("No-CoT", IVTLR, "45.4", "64.4", MISSING, MISSING),
        ("Multimodal-CoT", "multimodalcot", "42.5", "58.3", MISSING, MISSING),
        ("CCoT", "ccot", "44.1", "63.8", MISSING, MISSING),
        ("ICoT", "icot", "46.0", "65.4", MISSING, MISSING),
        ("SCAFFOLD", "scaffold", "44.9", "62.5", MISSING, MISSING),
        ("Chain-of-Focus", "chainoffocus", "64.3", "91.2", MISSING, MISSING),
        ("IVT-LR", IVTLR, "71.8", "94.6", "10.0", "11.0"),
    ],
    columns=[
        "published method",
        "cite",
        "M3CoT (%)",
        "ScienceQA (%)",
        "M3CoT steps",
        "ScienceQA steps",
    ],
)
"""Table 1; autoregressive steps are copied for IVT-LR alone."""

COMPARED = pd.DataFrame(
    [
        ("No-CoT", IVTLR, "45.4", MISSING, MISSING, "64.4", MISSING, MISSING),
        ("Multimodal-CoT", "multimodalcot", "42.5", "106.3", "3.10", "58.3", "83.9", "2.44"),
        ("CCoT", "ccot", "44.1", "177.2", "5.31", "63.8", "164.0", "5.23"),
        ("ICoT", "icot", "46.0", "96.5", "2.86", "65.4", "77.4", "2.28"),
        ("SCAFFOLD", "scaffold", "44.9", "170.8", "5.14", "62.5", "162.3", "4.91"),
        ("Chain-of-Focus", "chainoffocus", "64.3", "185.7", "2.63", "91.2", "162.3", "2.09"),
        ("IVT-LR", IVTLR, "71.8", "10.0", "0.65", "94.6", "11.0", "0.67"),
    ],
    columns=[
        "published method",
        "cite",
        "M3CoT (%)",
        "steps",
        "s",
        "ScienceQA (%)",
        "steps ",
        "s ",
    ],
)
"""Table 1 with all its columns: accuracy, autoregressive steps and seconds an answer."""

ARMS = pd.DataFrame(
    [
        ("full", IVTLR, "71.83", "94.1"),
        ("w/o latent text", IVTLR, "52.20", "84.7"),
        ("w/o latent vision", IVTLR, "46.64", "82.3"),
        ("w/o latent part", IVTLR, "58.02", "86.4"),
    ],
    columns=["published arm", "cite", "M3CoT (%)", "ScienceQA (%)"],
)
"""Table 2."""
