"""Does it solve tasks? Task sets, contestants on the same server and model, a judge of pristine tests, a report."""
