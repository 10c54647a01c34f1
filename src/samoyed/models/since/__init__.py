"""What came after the review, where today's default needs it."""
