"""What asks HTTP endpoints of other processes; only for commands, which may wait for an answer."""
