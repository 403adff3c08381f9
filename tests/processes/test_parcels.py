import torch

from latentlab.processes.parcels import pack, unpack


def test_tensors_of_every_type_arrive_as_they_were_packed():
    values = [
        torch.arange(6, dtype=kind).view(2, 3)
        for kind in (torch.float32, torch.bfloat16, torch.int64)
    ]
    values += [torch.tensor([True, False]), torch.tensor(2.5), torch.empty(0, 4)]
    values.append(torch.randn(3, 4).t())
    for before, after in zip(values, unpack(pack({"some": values}))["some"], strict=True):
        assert after.dtype == before.dtype
        assert torch.equal(after, before)


def test_a_view_travels_without_what_it_is_a_view_of():
    whole = torch.randn(1000, 1000)
    assert len(pack(whole[0])) < 10 * whole[0].nbytes
