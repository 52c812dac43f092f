"""Stock AutoGen teams on the comparison's task, as its documentation builds them."""
