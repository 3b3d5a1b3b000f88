"""Copies of states in one block of memory."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from wgan.state_copy import copied

DTYPES = [torch.float32, torch.float64, torch.bfloat16, torch.int64, torch.uint8, torch.bool]
tensors = st.builds(
    lambda shape, dtype, seed: torch.randint(
        0, 100, shape, generator=torch.Generator().manual_seed(seed)
    ).to(dtype),
    st.lists(st.integers(0, 4), max_size=3),
    st.sampled_from(DTYPES),
    st.integers(0, 2**31),
)
states = st.recursive(
    st.one_of(st.none(), st.integers(), st.text(), tensors),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(), inner, max_size=4)
    ),
    max_leaves=12,
)


def same(one: object, other: object) -> bool:
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        apart = one is not other and (not one.numel() or one.data_ptr() != other.data_ptr())
        return apart and one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    return one == other


@given(states)
def test_a_copy_is_the_same_and_apart(state: object):
    assert same(state, copied(state))


def test_a_change_of_either_does_not_reach_the_other():
    weight = torch.nn.Linear(3, 2)
    kept = copied({"weights": weight.state_dict(), "again": [weight.weight, weight.weight]})
    before = kept["weights"]["weight"].clone()
    with torch.no_grad():
        weight.weight.zero_()
    assert torch.equal(kept["weights"]["weight"], before)
    kept["weights"]["weight"].zero_()
    assert kept["again"][0].any()
    assert kept["again"][0] is kept["again"][1]


def test_a_tensor_keeps_its_order_in_memory():
    images = torch.rand(2, 3, 4, 5).contiguous(memory_format=torch.channels_last)
    part = torch.arange(12.0).view(3, 4).t()[1:]
    kept = copied([images, part])
    assert torch.equal(kept[0], images)
    assert kept[0].stride() == images.stride()
    assert torch.equal(kept[1], part)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="Linux tells of its memory")
def test_what_is_forgotten_goes_back_to_the_system_though_others_stay():
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

    state = {str(i): torch.ones(16_000) for i in range(50)}  # 3.2 MB in pieces of 64 kB
    before = resident()
    kept = [copied(state) for _ in range(40)]
    full = resident()
    del kept[1::2]  # every second one
    gc.collect()
    assert full - before > 100_000_000
    assert resident() - before < 0.6 * (full - before)
