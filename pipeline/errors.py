"""What a user can mend."""


class UserError(Exception):
    """One clear line: what was given, what is allowed, what to do. Printed without a trace."""
