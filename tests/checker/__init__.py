"""An independent checker: what records must have become, against what MongoDB holds. None of the product's code."""
