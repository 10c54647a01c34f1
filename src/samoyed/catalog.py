"""The one explicit table: what is given and what is asked -> which system answers.

Adding a system is a system file, its test, its evidence page, and one row here.
"""

from __future__ import annotations

from collections.abc import Sequence

from samoyed.core.errors import OptionError, did_you_mean
from samoyed.row import Row, kind_in_words

TABLE_TASKS = ("regress", "classify_several")  # besides "classify"
IMAGE_TASKS = ("classify_labels",)  # besides "classify", of systems without a loss of their own

# The first row for (given, asked) is the default.
ROWS: tuple[Row, ...] = (
    Row(
        "compact_convnet", "samoyed.models.since.compact_convnet", "images", "classify",
        "a small batch-normalised ConvNet: today's default for pictures",
        "since the review", has_sizes=True, is_varied=True, also_asked=IMAGE_TASKS,
        written="compact ConvNet",
    ),
    Row(
        "lenet5", "samoyed.models.convnets.lenet5", "images", "classify",
        "the 1998 network for handwritten characters, connection table and RBF outputs included",
        "Convolutional neural networks", has_own_loss=True, written="LeNet-5",
    ),
    Row(
        "lenet1989", "samoyed.models.convnets.lenet1989", "images", "classify",
        "the 1989 zip-code network: 16 x 16 pixels, 9,760 parameters, each layer as printed",
        "Convolutional neural networks", has_own_loss=True, aliases=("lenet1",),
        written="network of 1989",
    ),
    Row(
        "simard_convnet", "samoyed.models.convnets.simard_convnet", "images", "classify",
        "the 2003 network for documents: two convolutions that step, made for elastic distortions",
        "Convolutional neural networks", also_asked=IMAGE_TASKS, aliases=("simard",),
        written="Simard ConvNet",
    ),
    Row(
        "multi_column_network", "samoyed.models.convnets.multi_column_network",
        "images", "classify",
        "the mean of columns that see the picture prepared in different ways",
        "Image understanding with deep convolutional networks", has_own_loss=True, has_sizes=True,
        aliases=("multi_column",),
    ),
    Row(
        "alexnet", "samoyed.models.images.alexnet", "images", "classify",
        "the 2012 network of eight layers: two halves, response normalisation, dropout",
        "Image understanding with deep convolutional networks", has_sizes=True,
        also_asked=IMAGE_TASKS, written="AlexNet",
    ),
    Row(
        "vgg", "samoyed.models.images.vgg", "images", "classify",
        "11 to 19 layers of 3 x 3 convolutions, and nothing else that changes",
        "Image understanding with deep convolutional networks", has_sizes=True,
        also_asked=IMAGE_TASKS, written="VGG network",
    ),
    Row(
        "googlenet", "samoyed.models.images.googlenet", "images", "classify",
        "22 layers of Inception modules, with auxiliary heads on the way",
        "Image understanding with deep convolutional networks", has_own_loss=True, has_sizes=True,
        has_idle_dials=True, written="GoogLeNet",
    ),
    Row(
        "resnet", "samoyed.models.since.residual_network", "images", "classify",
        "6n + 2 layers of residual blocks for small pictures, in both orders of operations",
        "since the review", has_sizes=True, also_asked=IMAGE_TASKS,
        aliases=("residual_network",),
    ),
    Row(
        "neocognitron", "samoyed.models.convnets.neocognitron", "images", "classify",
        "planes of simple and complex cells that organise themselves; labels only name the winners",
        "Convolutional neural networks", has_own_stages=True, has_sizes=True,
        pretrained="layers", has_idle_dials=True,
    ),
    Row(
        "deep_belief_net", "samoyed.models.backprop.deep_belief_net", "images", "classify",
        "a stack of restricted Boltzmann machines, pre-trained layer by layer, then fine-tuned",
        "Backpropagation to train multilayer architectures", has_own_stages=True,
        pretrained="machines", also_asked=IMAGE_TASKS, has_idle_dials=True,
    ),
    Row(
        "tabular_network", "samoyed.models.since.tabular_network", "table", "classify",
        "an ensemble of perceptrons, for few rows with a forest: today's default for tables",
        "since the review", has_own_stages=True, has_sizes=True, is_varied=True,
        is_limited=True, also_asked=TABLE_TASKS, has_idle_dials=True,
    ),
    Row(
        "linear_classifier", "samoyed.models.supervised.linear_classifier", "images", "classify",
        "a weighted sum per class, by softmax, Widrow-Hoff, least squares or Fisher's discriminant",
        "Supervised learning", has_own_stages=True,
        also_given=("table",), also_asked=TABLE_TASKS, aliases=("linear",), has_idle_dials=True,
    ),
    Row(
        "perceptron", "samoyed.models.supervised.perceptron", "images", "classify",
        "fixed random association units, and responses that learn from their mistakes",
        "Supervised learning", has_own_stages=True,
        also_given=("table",), also_asked=("classify_several",), has_idle_dials=True,
    ),
    Row(
        "backpropagation", "samoyed.models.backprop.backpropagation", "images", "classify",
        "the forward and backward equations of a stack of modules, written out by hand",
        "Backpropagation to train multilayer architectures", has_own_stages=True,
        also_given=("table",), also_asked=("regress",), has_idle_dials=True,
    ),
    Row(
        "multilayer_perceptron", "samoyed.models.backprop.multilayer_perceptron",
        "images", "classify",
        "layers of rectified linear units, or of the sigmoids before them; pictures and tables",
        "Backpropagation to train multilayer architectures",
        also_given=("table",), also_asked=(*TABLE_TASKS, *IMAGE_TASKS), aliases=("mlp",),
    ),
    Row(
        "dropout_network", "samoyed.models.backprop.dropout_network", "images", "classify",
        "three layers of rectified linear units with dropout and max-norm; pictures and tables",
        "Image understanding with deep convolutional networks", has_own_stages=True,
        also_given=("table",), also_asked=(*TABLE_TASKS, *IMAGE_TASKS),
        aliases=("dropout",),
    ),
    Row(
        "activity_network", "samoyed.models.science.activity_network", "table", "classify_several",
        "one deep net for many assays of the same molecules, where not every answer is known",
        "Introduction", has_sizes=True, also_asked=("classify", "regress"), aliases=("qsar",),
    ),
    Row(
        "max_channel_network", "samoyed.models.science.max_channel_network", "table", "classify",
        "the bag of networks with competing units that won the Higgs boson challenge",
        "Introduction", has_own_stages=True, has_sizes=True, also_asked=("regress",),
        aliases=("higgs",),
    ),
    Row(
        "sentence_convnet", "samoyed.models.since.sentence_convnet",
        "labelled_text", "classify_text",
        "convolutions over word vectors beside a bag of n-grams: today's default for such texts",
        "since the review", has_sizes=True, aliases=("text_convnet",),
        has_idle_dials=True, written="sentence ConvNet",
        has_small_steps=True,
    ),
    Row(
        "senna", "samoyed.models.language.senna", "tagged_text", "tag",
        "windows of word vectors, a likelihood of whole sentences, and words learned beforehand",
        "Distributed representations and language processing", has_own_stages=True,
        pretrained="ranker", also_given=("labelled_text",), also_asked=("classify_text",),
        written="Senna network",
        has_small_steps=True,
    ),
    Row(
        "recursive", "samoyed.models.language.recursive", "trees", "classify_trees",
        "one layer at every node of a tree, for the meaning of its phrases and for the tree itself",
        "Distributed representations and language processing", has_own_loss=True,
        aliases=("recursive_network", "rntn"), has_idle_dials=True, written="recursive network",
    ),
    Row(
        "family_trees", "samoyed.models.language.family_trees", "facts", "complete",
        "the 1986 net whose six units encode what people are, from facts about them",
        "Distributed representations and language processing", has_own_stages=True,
        written="family trees net",
        has_small_steps=True,
    ),
    Row(
        "semantic_network", "samoyed.models.language.semantic_network", "facts", "complete",
        "a net that learns what things are, from the coarse to the fine",
        "Distributed representations and language processing", has_own_stages=True,
        aliases=("rumelhart",),
        has_small_steps=True,
    ),
    Row(
        "lstm_language_model", "samoyed.models.recurrent.lstm_language_model",
        "text", "continue_text",
        "a language model of characters or words with long short-term memory",
        "Recurrent neural networks", has_own_stages=True, has_sizes=True, has_mixture=True,
        aliases=("lstm_lm",),
        has_idle_dials=True, written="LSTM language model",
    ),
    Row(
        "skip_gram", "samoyed.models.language.skip_gram", "text", "embed",
        "vectors of words that foretell the words around them, and the map of words",
        "Distributed representations and language processing", aliases=("word2vec", "cbow"),
        has_idle_dials=True, written="skip-gram model",
        has_small_steps=True,
    ),
    Row(
        "lstm", "samoyed.models.recurrent.lstm", "sequences", "remember",
        "long short-term memory with a forget gate: the default for built-in sequences",
        "Recurrent neural networks", written="LSTM",
        has_small_steps=True,
    ),
    Row(
        "lstm1997", "samoyed.models.recurrent.lstm1997", "sequences", "remember",
        "long short-term memory as printed: 93 weights, no forget gate, a truncated gradient",
        "Recurrent neural networks", has_own_stages=True, written="LSTM of 1997",
        has_small_steps=True,
    ),
    Row(
        "elman", "samoyed.models.recurrent.elman", "sequences", "remember",
        "the simple recurrent net, whose gradient vanishes or explodes",
        "Recurrent neural networks", aliases=("rnn",), written="Elman net",
        has_small_steps=True,
    ),
    Row(
        "regularised_rnn", "samoyed.models.recurrent.regularised_rnn", "sequences", "remember",
        "a simple recurrent net with a clipped gradient that is asked to keep its norm",
        "Recurrent neural networks", has_own_stages=True, written="regularised recurrent net",
        has_small_steps=True,
    ),
    Row(
        "hierarchical_rnn", "samoyed.models.recurrent.hierarchical_rnn", "sequences", "remember",
        "a recurrent net of several time scales",
        "Recurrent neural networks", written="hierarchical recurrent net",
        has_small_steps=True,
    ),
    Row(
        "ngram", "samoyed.models.language.ngram", "text", "continue_text",
        "counted n-grams with modified Kneser-Ney smoothing, the baseline of every language model",
        "Distributed representations and language processing", has_own_stages=True,
        is_limited=True, pretrained="tables", aliases=("kneser_ney",),
        has_idle_dials=True, written="n-gram model",
    ),
    Row(
        "nnlm", "samoyed.models.language.nnlm", "text", "continue_text",
        "word vectors and a hidden layer that guess the next word from the last few",
        "Distributed representations and language processing", has_mixture=True,
        aliases=("neural_probabilistic",), written="neural probabilistic language model",
    ),
    Row(
        "cslm", "samoyed.models.language.cslm", "text", "continue_text",
        "nets for the words of a short-list, beside the counted n-grams they fall back on",
        "Distributed representations and language processing", has_own_stages=True,
        has_mixture=True, pretrained="tables", aliases=("continuous_space", "short_list"),
        written="continuous-space language model",
    ),
    Row(
        "large_vocabulary", "samoyed.models.language.large_vocabulary", "text", "continue_text",
        "a net over very many words, each told among the few of a piece of the text in training",
        "Recurrent neural networks", has_own_stages=True, aliases=("sampled_softmax",),
        written="network of many words",
    ),
    Row(
        "mrnn", "samoyed.models.recurrent.mrnn", "text", "continue_text",
        "a recurrent net whose recurrent weights depend on the symbol, in three factors",
        "Recurrent neural networks", aliases=("multiplicative_rnn",),
        written="multiplicative recurrent network",
    ),
    Row(
        "rnnlm", "samoyed.models.recurrent.rnnlm", "text", "continue_text",
        "a recurrent net with hashed n-gram weights beside it, and words found by their class",
        "Recurrent neural networks", has_own_stages=True, has_sizes=True, has_mixture=True,
        aliases=("rnnme",), has_idle_dials=True, written="recurrent language model",
    ),
    Row(
        "attention", "samoyed.models.recurrent.attention", "pairs", "translate",
        "recurrent nets that look back at the whole sentence before every word they write",
        "Recurrent neural networks", aliases=("rnnsearch",), written="attention network",
    ),
    Row(
        "seq2seq", "samoyed.models.recurrent.seq2seq", "pairs", "translate",
        "one deep LSTM reads the sentence backwards, another writes from the state it leaves",
        "Recurrent neural networks", written="sequence-to-sequence network",
    ),
    Row(
        "rnn_encoder_decoder", "samoyed.models.recurrent.rnn_encoder_decoder",
        "pairs", "translate",
        "gated units squeeze a sentence into one vector; others write from it, seeing it each step",
        "Recurrent neural networks", aliases=("cho",), written="RNN encoder-decoder",
    ),
    Row(
        "transformer", "samoyed.models.since.transformer", "pairs", "translate",
        "nothing recurrent: attention from every place to every other",
        "since the review", written="Transformer",
    ),
    Row(
        "deep_q_network", "samoyed.models.future.deep_q_network", "world", "play",
        "Q-learning with a deep network, replay memory and a target network",
        "The future of deep learning", has_own_stages=True, written="deep Q-network",
    ),
)  # fmt: skip

# Papers whose file trains nothing: `models` shows them and `verify` checks them.
METHODS: tuple[Row, ...] = (
    Row(
        "tsne", "samoyed.models.language.tsne", "vectors", "lay_out",
        "points laid out in the plane so that neighbours stay neighbours: exact t-SNE",
        "Distributed representations and language processing", aliases=("t_sne",),
    ),
)  # fmt: skip


def find(name: str, place: str = "the name of a system", rows: tuple[Row, ...] = ROWS) -> Row:
    """Return the row of this name, its own or one of its aliases.

    Args:
        name: of the system.
        place: where the name stands, for the error.
        rows: where to look.

    Raises:
        OptionError: when there is none.
    """
    known = {other: row for row in rows for other in (row.name, *row.aliases)}
    if name not in known:
        listed = ", ".join(row.name for row in rows)
        raise OptionError(
            place, f"one of {listed}", repr(name), did_you_mean(name, known).strip()
        )  # fmt: skip
    return known[name]


def choose(given: str, asked: str | None, name: str | None) -> tuple[Row, str]:
    """Choose a system for this kind of data, and say why.

    Args:
        given: kind of data.
        asked: the task, or None to choose it.
        name: the system, or None to choose it.

    Returns:
        The row and the reason in words.

    Raises:
        OptionError: when the task or the system does not fit the data.
    """
    fitting, kind = [row for row in ROWS if row.takes(given)], kind_in_words(given)
    tasks = sorted({task for row in fitting for task in (row.asked, *_more_asked(row, given))})
    if asked is not None and asked not in tasks:
        known = sorted({task for row in ROWS for task in (row.asked, *row.also_asked)})
        raise OptionError(
            "--task", f"{' or '.join(tasks)} for {kind}", repr(asked),
            did_you_mean(asked, tasks).strip() or _other_data(asked, known),
        )  # fmt: skip
    if name is None:
        row = next(row for row in fitting if row.answers(asked))
        return row, f"{row.name}, the default for {kind}"
    row = find(name, "--model")
    if not row.takes(given) or not row.answers(asked):
        able = [r.name for r in fitting if r.answers(asked)]
        purpose = "" if asked is None else f", to {asked.replace('_', ' ')}"
        raise OptionError(
            "--model", f"a system for {kind}{purpose}: " + ", ".join(able),
            f"{name}, which is for {row.domain}",
        )  # fmt: skip
    return row, f"{row.name}, as asked"


def _other_data(asked: str, known: Sequence[str]) -> str:
    """Say that a question is one of other data, or that it need not be named."""
    meant = did_you_mean(asked, known).strip()
    if asked in known or meant:
        return f"{meant} It is asked of other data.".strip()
    return "leave it out: the data decides"


def _more_asked(row: Row, given: str) -> tuple[str, ...]:
    """Return what else a system can be asked of this kind of data."""
    known = {
        "table": TABLE_TASKS, "images": IMAGE_TASKS, "labelled_text": ("classify_text",),
    }.get(given, ())  # fmt: skip
    return tuple(task for task in row.also_asked if task in known)
