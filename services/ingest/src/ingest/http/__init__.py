"""What is done to every xAPI request and answer before and after routing, so that each resource has it for free."""
