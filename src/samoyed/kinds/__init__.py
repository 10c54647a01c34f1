"""One file per kind of data: which task and dials it takes, and how its parts are joined."""
