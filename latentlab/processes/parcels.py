"""Python objects on their way from one process to another."""

import io
import pickle
from typing import Any

import torch
from torch import Tensor


def pack(value: object) -> bytes:
    """Pack a value, its tensors without what they are views of or the number of their device."""
    parcel = io.BytesIO()
    _Pickler(parcel).dump(value)
    return parcel.getvalue()


def unpack(parcel: bytes) -> Any:
    """Unpack what another process of the same command has packed; nothing else is trusted."""
    return pickle.loads(parcel)


class _Pickler(pickle.Pickler):
    def reducer_override(self, value: Any) -> Any:
        """How to pack a tensor; anything else goes as usual."""
        if not isinstance(value, Tensor):
            return NotImplemented
        plain = value.detach().cpu().contiguous()
        # As bytes, since numpy does not know every type.
        content = plain.flatten().view(torch.uint8).numpy()
        return _tensor, (content, plain.dtype, plain.shape, value.device.type)


def _tensor(content: Any, dtype: torch.dtype, shape: torch.Size, device: str) -> Tensor:
    """A tensor on the reading process's own device of that type."""
    return torch.from_numpy(content).view(dtype).view(shape).to(device)
