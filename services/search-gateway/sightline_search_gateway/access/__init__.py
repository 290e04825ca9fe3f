"""Who may do what: keys, sessions of the page, and users whom a proxy names."""
