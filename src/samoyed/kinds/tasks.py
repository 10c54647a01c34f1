"""Which module answers each task, and which task each kind of question about a table is."""

TABLE_TASKS = {
    "classes": "classify_table", "number": "regress_table", "binaries": "classify_several",
}  # fmt: skip
TASKS = {
    "classify": ("samoyed.tasks.classify", "Classify"),
    "classify_labels": ("samoyed.tasks.classify_labels", "ClassifyLabels"),
    "classify_table": ("samoyed.tasks.table_classify", "ClassifyTable"),
    "regress_table": ("samoyed.tasks.table_regress", "RegressTable"),
    "classify_several": ("samoyed.tasks.table_several", "ClassifySeveral"),
    "classify_text": ("samoyed.tasks.classify_text", "ClassifyText"),
    "classify_trees": ("samoyed.tasks.classify_trees", "ClassifyTrees"),
    "tag": ("samoyed.tasks.tag", "Tag"),
    "continue_text": ("samoyed.tasks.continue_text", "ContinueText"),
    "embed": ("samoyed.tasks.embed", "Embed"),
    "translate": ("samoyed.tasks.translate", "Translate"),
    "remember": ("samoyed.tasks.remember", "Remember"),
    "complete": ("samoyed.tasks.complete", "Complete"),
    "play": ("samoyed.tasks.play", "Play"),
}
