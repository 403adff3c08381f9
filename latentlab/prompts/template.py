"""Chat templates: programs that come with a checkpoint, run within bounds.

Templates run in a sandbox that keeps them from the system, and not from running for ever or asking
for all the memory there is. So the template of a checkpoint is tried first, in a process of its own
that the system ends.
"""

import os
import resource
import select
import signal
import warnings
from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerBase

from latentlab.errors import UserError

PLAIN_TEMPLATE = (
    "{% for message in messages %}{% for part in message['content'] %}"
    "{{ image_token if part['type'] == 'image' else part['text'] }}"
    "{% endfor %}{% endfor %}"
)
"""Chat template of tokenizers that bring none: the picture, then the question."""

SECONDS = 5
"""Within which a template words one question."""

MEMORY = 2**30
"""Bytes that it may take meanwhile."""

LONGEST = 2**20
"""Characters of what it may write."""


def worded(tokenizer: PreTrainedTokenizerBase, content: list[Any], image_slot: str) -> str:
    """What the chat template makes of one question, or the plain one where there is none.

    Args:
        tokenizer: what brings the template.
        content: texts and pictures, as chat templates take them.
        image_slot: what the plain template writes for a picture.

    Raises:
        UserError: the template cannot be used.
    """
    return conversed(tokenizer, [{"role": "user", "content": content}], image_slot)


def conversed(tokenizer: PreTrainedTokenizerBase, turns: list[Any], image_slot: str) -> str:
    """What the chat template makes of several turns, the last of them the user's.

    Args:
        tokenizer: what brings the template.
        turns: a role and a content each, as chat templates take them.
        image_slot: what the plain template writes for a picture.

    Raises:
        UserError: the template cannot be used.
    """
    conversation: Any = turns
    try:
        text = tokenizer.apply_chat_template(
            conversation,
            chat_template=None if tokenizer.chat_template else PLAIN_TEMPLATE,
            tokenize=False,
            add_generation_prompt=True,
            image_token=image_slot,
        )
    except (Exception, MemoryError) as error:  # a template raises whatever it stumbles over
        reason = str(error) or type(error).__name__
        raise UserError(f"the chat template cannot be used: {reason[:200]}") from None
    return str(text)


def try_out(tokenizer: PreTrainedTokenizerBase, image_slot: str) -> None:
    """Word one question in a process that may take only so much time and memory.

    Where the system cannot divide a process (Windows) nothing is tried.

    Raises:
        UserError: the template cannot be used, or does not end.
    """
    if not hasattr(os, "fork"):
        return
    content = [{"type": "image"}, {"type": "text", "text": "What is shown?"}]
    ours, theirs = os.pipe()
    with warnings.catch_warnings():
        # The child runs the template alone, so that no lock of another thread is waited for.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        try:
            _bound()
            answer = "" if len(worded(tokenizer, content, image_slot)) <= LONGEST else "too long"
        except UserError as error:
            answer = str(error)
        except BaseException as error:
            answer = f"the chat template cannot be used: {type(error).__name__}"
        finally:
            os.write(theirs, (answer or "fine").encode()[:2000])
            os._exit(0)
    os.close(theirs)
    try:
        ready, _, _ = select.select([ours], [], [], 2 * SECONDS)
        answer = os.read(ours, 2000).decode() if ready else ""
    finally:
        os.close(ours)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    if answer == "too long":
        raise UserError(f"the chat template cannot be used: it writes more than {LONGEST:,} signs")
    if answer != "fine":
        ended = f"the chat template cannot be used: it does not end within {SECONDS} s"
        raise UserError(answer or ended)


def _bound() -> None:
    """Let the system end this process when it takes too long, and refuse it too much memory."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    statm = Path("/proc/self/statm")  # where the system tells
    if statm.exists():
        held = int(statm.read_text().split()[0]) * resource.getpagesize()
        most = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (held + MEMORY, most))
