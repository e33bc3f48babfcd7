"""Who is in which class: the roster that every figure is reckoned against."""
