"""Privacy's heartbeats on its compacted topics."""
