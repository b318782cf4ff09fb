"""What Prometheus reads at /metrics: all of it from the database, so that every process says the same."""
