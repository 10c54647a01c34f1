"""Things that make data: games to be played, and the replay memory."""
