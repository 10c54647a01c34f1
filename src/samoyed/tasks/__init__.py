"""One file per question: how to encode, what the loss is, how to answer, how to score."""
