"""What both model clients share: chat, wire formats, retry, liveness, token counts and the call middleware."""
