"""Systems of the review's section on supervised learning."""
