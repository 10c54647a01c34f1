"""Units with a context: the unrolled form against single steps and finite differences."""

import torch

from samoyed.layers.context_gru import ContextGRU

T, B, D, C, H = 5, 3, 6, 4, 7


def drawn(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def make():
    torch.manual_seed(0)
    layer = ContextGRU(D, C, H).double()
    with torch.no_grad():
        layer.bias.normal_()
    return layer


def test_unrolled_is_step_after_step():
    """A step itself is held against appendix A in the encoder-decoder's test."""
    layer, x, c, h = make(), drawn(T, B, D), drawn(B, C, seed=1), drawn(B, H, seed=2)
    states = layer(x, c, h)
    for t in range(T):
        h = layer.step(x[t], layer.of_context(c), h)
        assert torch.allclose(states[t], h, atol=1e-12)


def test_gradient_of_the_unrolled_units():
    layer = make()
    inputs = [drawn(T, B, D), drawn(B, C, seed=1), drawn(B, H, seed=2)]
    parameters = dict(layer.named_parameters())

    def states(x, c, h, *values):
        held = dict(zip(parameters, values, strict=True))
        return torch.func.functional_call(layer, held, (x, c, h))

    inputs = [x.requires_grad_() for x in inputs]
    assert torch.autograd.gradcheck(states, (*inputs, *parameters.values()))
