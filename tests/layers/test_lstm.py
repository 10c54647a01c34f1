"""The LSTM layer against the equations, torch's own layer and finite differences."""

import copy
import pickle

import pytest
import torch
from torch import nn

from samoyed.layers.lstm import LSTM, Workspace, lstm_step

B, T, D, H, V = 3, 7, 5, 6, 11


class FreshMemory(Workspace):
    """Never used again: gradcheck walks one graph many times, with forward passes in between."""

    def give(self, *tensors):
        pass


def slow_loop(layer, inputs, state):
    """Eqs. 1 and 2 gate by gate, unit by unit of the batch, without any packing."""
    h, c = state
    n = layer.num_units
    outputs = []
    for x in inputs:
        rows = []
        for b in range(len(x)):
            a = layer.weight_ih @ x[b] + layer.weight_hh @ h[b] + layer.bias
            i, f, o = (1 / (1 + torch.exp(-a[k * n : (k + 1) * n])) for k in range(3))
            g = torch.tanh(a[3 * n :])
            cell = f * c[b] + i * g
            rows.append((o * torch.tanh(cell), cell))
        h, c = torch.stack([r[0] for r in rows]), torch.stack([r[1] for r in rows])
        outputs.append(h)
    return torch.stack(outputs), (h, c)


@pytest.fixture
def layer():
    torch.manual_seed(0)
    layer = LSTM(D, H).double()
    with torch.no_grad():
        layer.bias.add_(torch.randn_like(layer.bias))
    return layer


def twin_of(layer, parameters):
    twin = copy.copy(layer)
    twin._parameters = {**layer._parameters, **parameters}
    twin.workspace = FreshMemory()
    return twin


def example(seed=1):
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(T, B, D, dtype=torch.double, generator=generator)
    state = tuple(torch.randn(B, H, dtype=torch.double, generator=generator) for _ in range(2))
    return inputs, state


def test_forward_is_the_equations(layer):
    inputs, state = example()
    outputs, after = layer(inputs, state)
    expected, expected_after = slow_loop(layer, inputs, state)
    torch.testing.assert_close(outputs, expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(after, expected_after, rtol=0, atol=1e-12)


def test_gradients_are_those_of_the_equations(layer):
    inputs, state = example()
    wanted = [inputs, *state, *layer.parameters()]
    for tensor in wanted:
        tensor.requires_grad_(True)

    def scalar(outputs, after):
        return (outputs.sin() * torch.arange(1.0, T + 1)[:, None, None]).sum() + (
            after[0] * after[1]
        ).sum()

    ours = torch.autograd.grad(scalar(*layer(inputs, state)), wanted)
    slow = torch.autograd.grad(scalar(*slow_loop(layer, inputs, state)), wanted)
    torch.testing.assert_close(ours, slow, rtol=0, atol=1e-10)


def test_agrees_with_torch(layer):
    theirs = nn.LSTM(D, H).double()
    order = torch.cat([torch.arange(2 * H), torch.arange(3 * H, 4 * H), torch.arange(2 * H, 3 * H)])
    with torch.no_grad():
        theirs.weight_ih_l0[order] = layer.weight_ih
        theirs.weight_hh_l0[order] = layer.weight_hh
        theirs.bias_ih_l0[order] = layer.bias
        theirs.bias_hh_l0.zero_()
    inputs, (h, c) = example()
    expected, (last_h, last_c) = theirs(inputs, (h[None], c[None]))
    outputs, after = layer(inputs, (h, c))
    torch.testing.assert_close(outputs, expected)
    torch.testing.assert_close(after, (last_h[0], last_c[0]))


def test_gradcheck_dense(layer):
    inputs, state = example()
    inputs = inputs[:3].clone().requires_grad_()
    state = tuple(s.clone().requires_grad_() for s in state)

    def run(inputs, h, c, weight_ih, weight_hh, bias):
        parameters = {"weight_ih": weight_ih, "weight_hh": weight_hh, "bias": bias}
        outputs, after = twin_of(layer, parameters)(inputs, (h, c))
        return outputs, *after

    assert torch.autograd.gradcheck(
        run, (inputs, *state, layer.weight_ih, layer.weight_hh, layer.bias)
    )


def test_gradcheck_symbols(layer):
    symbols = torch.randint(0, V, (4, B), generator=torch.Generator().manual_seed(0))
    embedding = torch.randn(V, D, dtype=torch.double, requires_grad=True)
    _, state = example()

    def run(embedding, bias):
        return twin_of(layer, {"bias": bias}).of_symbols(symbols, embedding, state)[0]

    assert torch.autograd.gradcheck(run, (embedding, layer.bias))


@pytest.mark.parametrize("num_symbols", [V, 50 * T * B])
def test_looking_up_symbols_is_embedding_them(layer, num_symbols):
    symbols = torch.randint(0, num_symbols, (T, B))
    embedding = torch.randn(num_symbols, D, dtype=torch.double, requires_grad=True)
    wanted = [embedding, *layer.parameters()]
    looked_up, _ = layer.of_symbols(symbols, embedding, example()[1])
    embedded, _ = layer(embedding[symbols], example()[1])
    torch.testing.assert_close(looked_up, embedded, rtol=0, atol=1e-12)
    ours = torch.autograd.grad(looked_up.square().sum(), wanted)
    slow = torch.autograd.grad(embedded.square().sum(), wanted)
    torch.testing.assert_close(ours, slow, rtol=0, atol=1e-10)


def test_steps_are_the_unrolled_pass(layer):
    inputs, state = example()
    outputs, after = layer(inputs, state)
    for x, expected in zip(inputs, outputs, strict=True):
        state = layer.step(x, state)
        torch.testing.assert_close(state[0], expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(state, after, rtol=0, atol=1e-12)


def test_a_carried_state_is_one_long_pass(layer):
    inputs, state = example()
    whole, after = layer(inputs, state)
    first, middle = layer(inputs[:3], state)
    second, end = layer(inputs[3:], middle)
    torch.testing.assert_close(torch.cat([first, second]), whole, rtol=0, atol=1e-12)
    torch.testing.assert_close(end, after, rtol=0, atol=1e-12)


def test_the_past_does_not_see_the_future_and_rows_not_each_other(layer):
    inputs, state = example()
    before, _ = layer(inputs, state)
    changed = inputs.clone()
    changed[4:, 1] += 1.0
    after, _ = layer(changed, state)
    assert torch.equal(before[:4], after[:4])
    torch.testing.assert_close(before[:, [0, 2]], after[:, [0, 2]], rtol=0, atol=1e-12)
    assert not torch.allclose(before[4:, 1], after[4:, 1])


def test_two_graphs_at_once_do_not_share_memory(layer):
    inputs, state = example()
    first, _ = layer(inputs, state)
    second, _ = layer(inputs * 2, state)
    [grad] = torch.autograd.grad(first.sum(), layer.weight_hh)
    fresh = copy.deepcopy(layer)
    [expected] = torch.autograd.grad(fresh(inputs, state)[0].sum(), fresh.weight_hh)
    assert torch.equal(grad, expected)
    [grad] = torch.autograd.grad(second.sum(), layer.weight_hh)
    [expected] = torch.autograd.grad(fresh(inputs * 2, state)[0].sum(), fresh.weight_hh)
    assert torch.equal(grad, expected)


def test_a_graph_whose_memory_was_taken_refuses_a_second_walk(layer):
    inputs, state = example()
    outputs, _ = layer(inputs, state)
    outputs.sum().backward(retain_graph=True)
    outputs.sum().backward(retain_graph=True)  # nothing has taken the memory yet
    layer(inputs, state)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        outputs.sum().backward()


def test_outputs_and_state_outlive_the_workspace(layer):
    inputs, state = example()
    outputs, after = layer(inputs, state)
    kept = outputs.clone(), after[0].clone(), after[1].clone()
    outputs.sum().backward()
    layer(inputs * 3, state)[0].sum().backward()
    with torch.no_grad():
        layer(inputs * 5, state)
    assert torch.equal(outputs, kept[0])
    assert torch.equal(after[0], kept[1])
    assert torch.equal(after[1], kept[2])


def test_the_workspace_is_reused_and_not_copied_with_the_layer(layer):
    inputs, state = example()
    layer(inputs, state)[0].sum().backward()
    held = {t.data_ptr() for spare in layer.workspace._spare.values() for t in spare}
    layer(inputs, state)[0].sum().backward()
    assert held == {t.data_ptr() for spare in layer.workspace._spare.values() for t in spare}
    assert held
    assert not copy.deepcopy(layer).workspace._spare
    assert not pickle.loads(pickle.dumps(layer)).workspace._spare


def test_inference_mode_leaves_nothing_behind_that_training_stumbles_over(layer):
    inputs, state = example()
    with torch.inference_mode():
        layer(inputs, state)
    layer(inputs, state)[0].sum().backward()
    assert layer.weight_hh.grad is not None


def test_bfloat16_follows_float32():
    torch.manual_seed(0)
    layer = LSTM(16, 32)
    inputs, state = torch.randn(12, 4, 16), layer.start(4)
    exact, after = layer(inputs, state)
    grads = torch.autograd.grad(exact.square().sum(), list(layer.parameters()))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough, rough_after = layer(inputs, state)
    assert rough.dtype == torch.bfloat16
    assert {part.dtype for part in rough_after} == {torch.float32}
    rough_grads = torch.autograd.grad(rough.float().square().sum(), list(layer.parameters()))
    torch.testing.assert_close(rough.float(), exact, rtol=0, atol=0.02)
    torch.testing.assert_close(rough_after, after, rtol=0, atol=0.02)
    for ours, expected in zip(rough_grads, grads, strict=True):
        assert ours.dtype == torch.float32
        assert (ours - expected).norm() < 0.05 * expected.norm()


def test_bfloat16_symbols_follow_float32():
    torch.manual_seed(0)
    layer, embedding = LSTM(16, 32), torch.randn(V, 16, requires_grad=True)
    symbols = torch.randint(0, V, (12, 4))
    exact, _ = layer.of_symbols(symbols, embedding, layer.start(4))
    [grad] = torch.autograd.grad(exact.square().sum(), embedding)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough, _ = layer.of_symbols(symbols, embedding, layer.start(4))
    [rough_grad] = torch.autograd.grad(rough.float().square().sum(), embedding)
    torch.testing.assert_close(rough.float(), exact, rtol=0, atol=0.02)
    assert (rough_grad - grad).norm() < 0.05 * grad.norm()


def test_dropping_weights_is_for_training_only():
    torch.manual_seed(0)
    layer = LSTM(D, H, weight_dropout=0.5)
    inputs, state = torch.randn(T, B, D), layer.start(B)
    assert not torch.equal(layer(inputs, state)[0], layer(inputs, state)[0])
    layer.eval()
    assert torch.equal(layer(inputs, state)[0], layer(inputs, state)[0])


def test_a_step_with_the_forget_gate_open_and_the_input_shut_keeps_the_cell():
    drive = torch.cat([torch.full((1, 2), -50.0), torch.full((1, 2), 50.0), torch.zeros(1, 4)], 1)
    cell = torch.tensor([[0.3, -2.0]])
    h, c = lstm_step(drive, (torch.zeros(1, 2), cell), torch.zeros(8, 2))
    torch.testing.assert_close(c, cell)
    torch.testing.assert_close(h, 0.5 * torch.tanh(cell))


def test_fresh_weights():
    layer = LSTM(D, H, forget_bias=1.5)
    assert layer.bias.tolist() == [0.0] * H + [1.5] * H + [0.0] * 2 * H
    assert layer.weight_hh.abs().max() <= H**-0.5
    assert sum(p.numel() for p in layer.parameters()) == 4 * H * (D + H + 1)


def filled():
    """Row 1 begins after two steps, row 2 after all but one."""
    is_pad = torch.zeros(T, B, dtype=torch.bool)
    is_pad[:2, 1] = is_pad[: T - 1, 2] = True
    return is_pad


def test_rows_that_begin_later_begin_from_the_empty_state(layer):
    inputs, _ = example()
    outputs, (h, c) = layer(inputs, layer.start(B), filled())
    for row, first in ((0, 0), (1, 2), (2, T - 1)):
        alone, (h_alone, c_alone) = slow_loop(layer, inputs[first:, row : row + 1], layer.start(1))
        assert torch.allclose(outputs[first:, row], alone[:, 0], atol=1e-12)
        assert torch.equal(outputs[:first, row], torch.zeros(first, H, dtype=torch.double))
        assert torch.allclose(h[row], h_alone[0], atol=1e-12)
        assert torch.allclose(c[row], c_alone[0], atol=1e-12)


def test_gradient_where_rows_begin_later(layer):
    inputs, _ = example()
    names = ("weight_ih", "weight_hh", "bias")

    def run(x, *parameters):
        twin = twin_of(layer, dict(zip(names, parameters, strict=True)))
        outputs, after = twin(x, twin.start(B), filled())
        return outputs, *after

    leaves = [inputs, *(getattr(layer, name).detach() for name in names)]
    assert torch.autograd.gradcheck(run, [leaf.requires_grad_() for leaf in leaves])
