"""What is claimed of systems for drawn sequences, facts and games."""

from __future__ import annotations

from samoyed.claims.claim import Claim

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "lstm", "adding_100", "adding over 100 to 110 steps, 64 cells with a forget gate, full "
        "gradient, 400,000 fresh sequences: share of 2,560 others answered within 0.04",
        "1 of 2,560 wrong after 74,000 sequences for two blocks of two cells without a forget gate "
        "(Hochreiter & Schmidhuber 1997, table 7)",
        ">= 99.9 %", "adding-100", "solved_share", 0.999, epochs=40.0,
        scale="our own target, reached",
    ),
    Claim(
        "lstm1997", "adding_100", "adding over 100 to 110 steps, 93 weights, truncated gradient, "
        "300,000 fresh sequences in batches of 8: share of 2,560 others answered within 0.04",
        "1 of 2,560 wrong after 74,000 sequences, one at a time, mean of 10 trials (table 7)",
        ">= 99 % in at least 2 of 3 seeds", "adding-100", "solved_share", 0.99, needed=2,
        scale="our own target, reached",
    ),
    Claim(
        "elman", "adding_100", "adding over 100 to 110 steps, 240,000 fresh sequences: the simple "
        "net does not learn it (mean squared error; always saying the mean has 0.041)",
        "no number; a task of a type that other recurrent nets never solved (Hochreiter & "
        "Schmidhuber 1997, section 5.4)",
        ">= 0.03, that is, hardly better than the mean", "adding-100", "mean_square", 0.03,
        epochs=24.0, scale="mechanism verified only",
    ),
    Claim(
        "regularised_rnn", "temporal_order_100", "temporal order over 100 to 110 steps, 1,000,000 "
        "fresh sequences: accuracy on 2,560 others",
        "one net for 50 to 200 steps, at most 100,000,000 sequences: none of 10,000 wrong, in 5 of "
        "5 seeds; a run succeeds with less than 1 % wrong (Pascanu et al. 2013, section 4.1.1)",
        "less than 1 % wrong in 3 of 3 seeds", "temporal-order-100", "accuracy", 0.99, needed=3,
    ),
    Claim(
        "hierarchical_rnn", "temporal_order_100", "temporal order over 100 to 110 steps, 150,000 "
        "fresh sequences: gain in accuracy over the flat net with one level of 104 units",
        "experiments confirm the advantages of such structures (El Hihi & Bengio 1996, abstract)",
        "gain >= 30 points, 95 % interval above 0", "temporal-order-100", "accuracy", 0.3,
        epochs=15.0, against={"periods": [1], "num_units": 104},
        scale="mechanism verified only",
    ),
    Claim(
        "family_trees", "held_out", "family trees, 104 questions, 4 of them held out by the seed: "
        "share of the held-out questions whose right people stand above all others",
        "7 of 8 in two runs (Hinton 1986); 4 of 4 (Rumelhart et al. 1986, caption of figure 4)",
        "mean of 10 seeds >= 0.625",
        "family-trees", "completed_share", 0.625, seeds=10, scale="mechanism verified only",
    ),
    Claim(
        "semantic_network", "living_things", "living things, 93 facts drawn up from the book's "
        "description, 32 questions, all learned from: share whose right attributes stand above all "
        "others",
        "no number; the net is trained on all facts (Rogers & McClelland 2004)", "1",
        "living-things", "recalled_share", 1.0, seeds=5, scale="mechanism verified only",
    ),
    Claim(
        "deep_q_network", "cartpole", "CartPole-v1: largest mean return of 100 training episodes "
        "in a row, at 200 looks within 500,000 steps (dials chosen on earlier runs of seed 0)",
        "none for this world; a public implementation reaches 488.7 +- 16.1",
        ">= 475 in at least 4 of 5 seeds", "CartPole-v1", "largest training_return", 475.0, seeds=5,
        needed=4, scale="mechanism verified only",
    ),
    Claim(
        "deep_q_network", "catch", "Catch, 24x24 pixels: share of balls caught",
        "no number for this network", ">= 95 %", "catch", "caught", 0.95, seeds=1,
        scale="mechanism verified only",
    ),
)  # fmt: skip
