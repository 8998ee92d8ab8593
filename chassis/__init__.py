"""What every service stands on: start-up, interceptors, errors, MongoDB, events, coalescing, telemetry."""
