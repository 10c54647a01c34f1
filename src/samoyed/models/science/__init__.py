"""Systems that the review names for their use in science."""
