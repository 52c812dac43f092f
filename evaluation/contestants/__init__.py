"""Who is compared. Each contestant is one small file; `catalogue` lists them by name."""
