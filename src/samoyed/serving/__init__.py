"""What leaves the house: files that answer without samoyed."""
