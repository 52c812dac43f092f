"""What both halves share: settings, errors, events, the model clients' ground and the workspace."""
