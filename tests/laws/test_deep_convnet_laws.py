"""What the papers on deep convolutional networks say in words, at toy scale."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from samoyed.core.spec import ImageSpec, LabelSpec
from samoyed.layers.arithmetic import multiplications
from samoyed.models.images import alexnet, googlenet
from samoyed.models.images.googlenet import TABLE_1, Inception
from samoyed.models.since import residual_network


def labels(num):
    return LabelSpec(tuple(f"class {k}" for k in range(num)))


def field_of(net, side=15):
    """Return the rectangle of input pixels that the middle output depends on, and its filling."""
    pictures = torch.rand(1, 2, side, side, dtype=torch.float64, requires_grad=True)
    maps = net.double()(pictures)
    maps[0, :, maps.shape[2] // 2, maps.shape[3] // 2].sum().backward()
    is_seen = (pictures.grad != 0).any(1)[0]
    rows, columns = is_seen.any(1).nonzero(), is_seen.any(0).nonzero()
    height = int(rows.max() - rows.min()) + 1
    width = int(columns.max() - columns.min()) + 1
    return height, width, is_seen.sum().item() == height * width


@pytest.mark.parametrize(("num", "side"), [(1, 3), (2, 5), (3, 7)])
def test_a_stack_of_3x3_convolutions_sees_the_field_of_a_larger_one(num, side):
    """VGG, section 2.3: two see 5 x 5, three 7 x 7."""
    torch.manual_seed(0)
    stack = nn.Sequential(*(nn.Conv2d(2, 2, 3, padding=1) for _ in range(num)))
    assert field_of(stack) == field_of(nn.Conv2d(2, 2, side, padding=side // 2))
    assert field_of(stack) == (side, side, True)


def test_the_stack_has_fewer_weights():
    """VGG, section 2.3: 27 C^2 against 49 C^2, 81 % more."""
    C = 64
    stack = sum(nn.Conv2d(C, C, 3, bias=False).weight.numel() for _ in range(3))
    single = nn.Conv2d(C, C, 7, bias=False).weight.numel()
    assert (stack, single) == (27 * C**2, 49 * C**2)
    assert round(100 * (single / stack - 1)) == 81


def test_reductions_keep_a_module_affordable():
    """GoogLeNet, section 4: without 1 x 1 convolutions in front, a few stages would blow up."""
    spec = ImageSpec(192, 28, 28)
    widths = TABLE_1["3a"]
    with torch.device("meta"):
        reduced = multiplications(Inception(192, widths), spec)
        naive = sum(
            multiplications(nn.Conv2d(192, num, kernel, padding=kernel // 2), spec)
            for num, kernel in ((widths.one, 1), (widths.three, 3), (widths.five, 5))
        )
    assert naive > 2.3 * reduced
    assert 192 + widths.one + widths.three + widths.five > 1.6 * widths.total


def test_the_budget_of_one_and_a_half_billion_multiplications():
    """GoogLeNet, section 1; and a twelfth of AlexNet's weights, as that section has it, is a ninth
    of what the two papers' tables make."""
    spec = ImageSpec(3, 224, 224)
    with torch.device("meta"):
        net = googlenet.build(googlenet.Config(is_headed=False), spec, labels(1000)).eval()
        older = alexnet.build(alexnet.Config(), ImageSpec(3, 227, 227), labels(1000))
    assert multiplications(net, spec) / 1e9 == pytest.approx(1.5, rel=0.06)
    ours, theirs = (sum(p.numel() for p in n.parameters()) for n in (net, older))
    assert 8 < theirs / ours < 12


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_heads_strengthen_the_gradient_that_reaches_the_bottom(seed):
    """GoogLeNet, section 5: heads increase the gradient signal that gets propagated back."""
    config = replace(googlenet.Config(), **googlenet.SIZES["small"])
    torch.manual_seed(seed)
    spec = ImageSpec(3, 32, 32)
    net = googlenet.build(config, spec, labels(10)).train()
    pictures, targets = torch.rand(8, 3, 32, 32), torch.arange(8)
    norms = []
    for is_headed in (True, False):
        net.zero_grad()
        output = net(pictures)
        output = output if is_headed else output._replace(auxiliary=())
        googlenet.loss(output, targets).backward()
        norms.append(net.stem[0][0].weight.grad.norm().item())
    assert norms[0] > norms[1]


def final_losses(num_blocks, steps=25):
    """Return the training loss of a plain and of a residual network after the same steps."""
    generator = torch.Generator().manual_seed(0)
    pictures = torch.rand(32, 3, 8, 8, generator=generator)
    targets = torch.randint(4, (32,), generator=generator)
    found = []
    for is_residual in (False, True):
        torch.manual_seed(0)
        config = residual_network.Config(num_blocks=num_blocks, is_residual=is_residual)
        net = residual_network.build(config, ImageSpec(3, 8, 8), labels(4)).train()
        optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
        for _ in range(steps):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(pictures).values, targets)
            loss.backward()
            optimizer.step()
        found.append(loss.item())
    return found


def test_plain_networks_learn_worse_when_deeper_and_residual_ones_do_not():
    """He et al. 2016a, figures 1 and 6: the training error of plain networks grows with depth."""
    shallow_plain, _ = final_losses(1)
    deep_plain, deep_residual = final_losses(7)
    assert deep_plain > shallow_plain + 0.3
    assert deep_residual < 0.5 * deep_plain
