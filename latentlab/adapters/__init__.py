"""Tools the field uses, on a whole latent rollout: TransformerLens and nnsight, one file each.

Both are thin: the engine stays ours, the tools observe and edit it. They are slow to import, and
nnsight changes every Python object when it is, so each is imported by the function that needs it
and by nothing else. Plain hooks (`reasoning.activations`) do the same edits, to the bit
(`tests/adapters/test_agreement.py`).
"""
