"""What the hospital has and can prove: parts, contracts, recalls, security sheets, audit files."""
