"""What a machine lacks before a run can begin: a model's weights out of packages, a choice among models, a proof."""
