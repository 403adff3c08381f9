"""Small models of both families, built from real configuration classes, and things to ask them."""

import pytest
import torch
from hypothesis import settings
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    ChameleonConfig,
    ChameleonForConditionalGeneration,
    PreTrainedTokenizerFast,
)
from transformers.models.chameleon.image_processing_pil_chameleon import ChameleonImageProcessorPil

from latentlab import checkpoint
from latentlab.backbones import ChameleonBackbone
from latentlab.commands import start
from latentlab.data import Example
from latentlab.prompts import Prompter, PromptFormat
from latentlab.reasoner import Reasoner
from latentlab.reasoning.plan import LatentPlan
from latentlab.study.instrument import Subject, instrument
from latentlab.training.recipes import PLANS
from latentlab.training.tiny import TinyConfig, tiny_reasoner

# A test that fails has to fail for everyone, however busy the machine.
settings.register_profile("latentlab", deadline=None, derandomize=True)
settings.load_profile("latentlab")
# Threads that share a core make these small models a hundred times slower.
torch.set_num_threads(1)

PLAN = LatentPlan(steps=2, k=2)

CHAMELEON_SPECIALS = ("<pad>", "<eos>", "<unk>", "<latent>", "<racm3:break>", "<eoss>", "<image>")
CHAMELEON_WORDS = ("Follow", "hop", "hops", "from", "the", "circle", "square", "red", "one", "two")
CHAMELEON_WORDS += ("A", "B", "C", "D", "Answer", "is", ".", ":", ",")


def picture(rows: int, columns: int, seed: int) -> Image.Image:
    """Noise of as many merged Qwen2-VL patches; Chameleon crops every picture to one size."""
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.randint(256, (28 * rows, 28 * columns, 3), generator=generator)
    return Image.fromarray(pixels.to(torch.uint8).numpy())


def tiny_chameleon(plan: LatentPlan, swin_norm: bool = False) -> Reasoner:
    """A Chameleon with 16 image tokens, a tokenizer without chat template, answers by letter."""
    words = [*CHAMELEON_SPECIALS, *CHAMELEON_WORDS]
    image_tokens = [f"IMGIMG{chr(65 + code // 10)}{chr(65 + code % 10)}Z" for code in range(16)]
    tokenizer = Tokenizer(
        models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="<unk>")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="<eos>",
        unk_token="<unk>",
        additional_special_tokens=list(CHAMELEON_SPECIALS[3:]),
    )
    config = ChameleonConfig(
        vocab_size=len(words) + len(image_tokens),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        initializer_range=0.2,
        swin_norm=swin_norm,
        bos_token_id=None,
        eos_token_id=1,
        pad_token_id=0,
        vocabulary_map={word: i for i, word in enumerate([*words, *image_tokens])},
        vq_config={
            "resolution": 16,
            "channel_multiplier": [1, 1, 1],
            "base_channels": 32,
            "num_res_blocks": 1,
            "latent_channels": 8,
            "embed_dim": 8,
            "num_embeddings": 16,
        },
    )
    torch.manual_seed(0)
    model = ChameleonForConditionalGeneration(config).eval()
    processor = ChameleonImageProcessorPil(
        size={"shortest_edge": 16}, crop_size={"height": 16, "width": 16}
    )
    backbone = ChameleonBackbone(model, processor)
    prompter = Prompter(fast, backbone, PromptFormat())
    return Reasoner(backbone, plan, prompter, words.index("<latent>"), "chameleon")


@pytest.fixture(scope="session")
def qwen() -> Reasoner:
    """A Qwen2-VL that reads the diagnostic benchmark."""
    config = TinyConfig(
        hidden=32,
        layers=2,
        heads=2,
        feed_forward=64,
        vision_layers=1,
        vision_hidden=32,
        initializer_range=0.2,
    )
    reasoner = tiny_reasoner(PLAN, config)
    reasoner.backbone.model.eval()
    return reasoner


@pytest.fixture(scope="session")
def chameleon() -> Reasoner:
    return tiny_chameleon(PLAN)


@pytest.fixture(scope="session", params=["qwen", "chameleon"])
def reasoner(request) -> Reasoner:
    """Either family."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def examples() -> list[Example]:
    """Questions of different lengths on pictures of different sizes."""
    choices = ("red circle", "red square")
    questions = ("Follow one hop.", "Follow two hops from the red circle.", "Follow the circle.")
    sizes = ((2, 3), (3, 3), (4, 2))
    return [
        Example(f"e{i}", question, choices, choices[i % 2], picture(*size, seed=i))
        for i, (question, size) in enumerate(zip(questions, sizes, strict=True))
    ]


@pytest.fixture(scope="session")
def untrained(qwen, tmp_path_factory):
    """Untrained models under the plans of the embedded ones, in a folder of their own."""
    folder = tmp_path_factory.mktemp("zoo")
    for name, plan in PLANS.items():
        reasoner = Reasoner(qwen.backbone, plan, qwen.prompter, qwen.placeholder_id, name)
        checkpoint.save(reasoner, folder / name)
    return folder


@pytest.fixture(scope="session")
def planned(qwen):
    """Makes a function that gives the small Qwen2-VL a plan, or that of an embedded model."""

    def make(plan: str | LatentPlan, name: str = "it") -> Reasoner:
        plan = PLANS[plan] if isinstance(plan, str) else plan
        return Reasoner(qwen.backbone, plan, qwen.prompter, qwen.placeholder_id, name)

    return make


@pytest.fixture(scope="session")
def measured():
    """Makes a function that points an instrument at one model and returns its rows.

    What the model lacks goes to `lacks`, a list, if there is one; otherwise it ends the run.
    """

    def measure(name, config, reasoner, examples, references=(), lacks=None):
        found = Subject(
            reasoner,
            examples,
            references,
            **({} if lacks is None else {"lacks": lacks.append}),
            given=reasoner.name,
            models={reasoner.name: reasoner},
        )
        return instrument(name).measure(config, found)

    return measure


@pytest.fixture
def commanded(untrained, monkeypatch, tmp_path, capsys):
    """Makes a function that runs a command on these models; it returns exit code and streams."""
    monkeypatch.setattr(checkpoint, "ZOO", untrained)
    monkeypatch.chdir(tmp_path)

    def command(name, *always):
        def call(*flags: str):
            code = start(name, (*flags, *always))
            return code, capsys.readouterr()

        return call

    return command


@pytest.fixture
def refused(tmp_path):
    """Makes a function that gives the one line of a command that refused to start.

    It stands last, after one line for each model that was left out where several were given; the
    command showed nothing, and wrote nothing below the folder of results.
    """

    def line(outcome) -> str:
        code, streams = outcome
        assert code == 2
        assert streams.out == ""
        assert "Traceback" not in streams.err
        *before, last = streams.err.splitlines()
        assert last.startswith("error: ")
        assert not any("error" in line.lower() for line in before)
        assert not list((tmp_path / "results").glob("*"))
        return last

    return line
