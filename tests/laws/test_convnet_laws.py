"""What the review says of convolutional networks, at toy scale."""

import numpy as np
import pytest
import torch
from torch import nn

from samoyed.core.spec import ImageSpec, LabelSpec
from samoyed.models.convnets import lenet5
from samoyed.models.since import compact_convnet


def digits(num):
    return LabelSpec(tuple(str(k) for k in range(num)))


def lenet(seed=0):
    torch.manual_seed(seed)
    return lenet5.build(lenet5.Config(), ImageSpec(1, 28, 28), digits(10))


def test_a_shifted_picture_gives_shifted_maps():
    """Convolutions commute with shifts, inside the border."""
    net = lenet()
    picture = torch.zeros(1, 1, 28, 28)
    picture[..., 8:18, 8:18] = torch.rand(10, 10, generator=torch.Generator().manual_seed(0))
    moved = picture.roll((4, 4), dims=(2, 3))
    with torch.no_grad():
        before = lenet5.squash(net.C1(lenet5.normalize(picture)))
        after = lenet5.squash(net.C1(lenet5.normalize(moved)))
        torch.testing.assert_close(before.roll((4, 4), dims=(2, 3)), after)
        # Sub-sampling halves the shift, so that 4 pixels become 2 units.
        halved, moved_halved = net.S2(before), net.S2(after)
        torch.testing.assert_close(
            halved.roll((2, 2), dims=(2, 3))[..., 3:-3, 3:-3], moved_halved[..., 3:-3, 3:-3]
        )


def test_sub_sampling_makes_answers_less_sensitive_to_small_shifts():
    """The relative change of the maps under a shift of one pixel falls from C1 to S4."""
    net = lenet()
    pictures = torch.zeros(8, 1, 28, 28)
    pictures[..., 7:21, 7:21] = nn.functional.avg_pool2d(
        torch.rand(8, 1, 18, 18, generator=torch.Generator().manual_seed(0)), 5, stride=1
    )
    changes = []
    with torch.no_grad():
        maps = [
            [
                c1 := lenet5.squash(net.C1(lenet5.normalize(shown))),
                lenet5.squash(net.S2(c1)),
            ]
            for shown in (pictures, pictures.roll(1, dims=3))
        ]
        for plain, moved in zip(*maps, strict=True):
            spread = (plain - plain.mean((2, 3), keepdim=True)).norm()
            changes.append(((plain - moved).norm() / spread).item())
    assert changes[1] < changes[0]


def test_sharing_weights_saves_parameters_not_connections():
    """C1 has 122,304 connections and only 156 numbers to learn; unshared it would have them all."""
    net = lenet()
    shared = sum(p.numel() for p in net.C1.parameters())
    out = net.C1(torch.zeros(1, 1, 32, 32))
    connections = out[0].numel() * 26
    assert (shared, connections) == (156, 122_304)


def test_the_gradient_of_a_shared_weight_is_the_sum_over_all_its_places():
    torch.manual_seed(0)
    maps = torch.randn(1, 1, 6, 6, dtype=torch.float64)
    shared = torch.randn(1, 1, 3, 3, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(4, 4, dtype=torch.float64)
    (nn.functional.conv2d(maps, shared)[0, 0] * weight).sum().backward()
    apart = shared.detach().repeat(16, 1, 1, 1).requires_grad_()
    fields = torch.stack([maps[0, 0, i : i + 3, j : j + 3] for i, j in np.ndindex(4, 4)])
    ((apart[:, 0] * fields).sum((1, 2)) * weight.flatten()).sum().backward()
    torch.testing.assert_close(shared.grad[0, 0], apart.grad.sum(0)[0])


def test_without_a_push_from_the_other_classes_codes_that_can_move_draw_together():
    """Section II-C: eq. 8 alone has a trivial solution with all codes alike; eq. 9 pushes them
    apart."""
    targets = torch.arange(6) % 3
    inputs = torch.randn(6, 8, generator=torch.Generator().manual_seed(0))
    apart = {}
    for name in ("eq. 8", "eq. 9"):
        torch.manual_seed(1)
        layer, codes = nn.Linear(8, 12), nn.Parameter(torch.randn(3, 12))
        begun = torch.pdist(codes.detach()).min().item()
        optimizer = torch.optim.Adam([*layer.parameters(), codes], lr=0.05)
        for _ in range(100):
            penalties = (lenet5.squash(layer(inputs))[:, None] - codes).square().sum(dim=2)
            right = penalties.gather(1, targets[:, None]).mean()
            loss = right if name == "eq. 8" else lenet5.map_mse(penalties, targets, 10.0)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        apart[name] = torch.pdist(codes.detach()).min().item()
    assert apart["eq. 8"] < 0.5 * begun
    assert apart["eq. 9"] > 2 * apart["eq. 8"]


def task_of_bars(num, seed):
    """A bright bar somewhere, lying or standing; noise all over."""
    generator = torch.Generator().manual_seed(seed)
    pictures = 0.3 * torch.rand(num, 1, 16, 16, generator=generator)
    labels = torch.randint(0, 2, (num,), generator=generator)
    places = torch.randint(1, 9, (num, 2), generator=generator).tolist()
    for picture, label, (y, x) in zip(pictures, labels.tolist(), places, strict=True):
        if label:
            picture[0, y : y + 6, x + 2] = 1
        else:
            picture[0, y + 2, x : x + 6] = 1
    return pictures, labels


def held_out_accuracy(net, answers, steps=40):
    pictures, labels = task_of_bars(60, seed=0)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)
    for _ in range(steps):
        optimizer.zero_grad()
        nn.functional.cross_entropy(answers(net, pictures), labels).backward()
        optimizer.step()
    tested, wanted = task_of_bars(300, seed=1)
    with torch.no_grad():
        return (answers(net.eval(), tested).argmax(1) == wanted).float().mean().item()


@pytest.mark.parametrize("seed", [0, 1])
def test_convolutions_learn_from_fewer_examples_than_full_connections(seed):
    """A motif can appear anywhere: shared weights find it in places never trained on."""
    torch.manual_seed(seed)
    config = compact_convnet.Config(widths=(8, 16))
    convolutional = compact_convnet.build(config, ImageSpec(1, 16, 16), digits(2))
    full = nn.Sequential(nn.Flatten(), nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, 2))
    shared = held_out_accuracy(convolutional, lambda net, x: net(x).values)
    unshared = held_out_accuracy(full, lambda net, x: net(x))
    assert shared > 0.9
    assert shared > unshared + 0.1
